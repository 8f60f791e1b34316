//! The name of a thread.

use std::ffi::CString;

/// Sets the name of the calling thread; the kernel cuts it to 15 bytes.
pub(super) fn rename(name: &str) -> std::io::Result<()> {
    Ok(rustix::thread::set_name(&CString::new(name)?)?)
}
