//! Signals.

use std::io;

/// Has this process, and those that it becomes, ignore a signal.
///
/// # Errors
/// If there is no such signal.
pub fn ignore(signal: i32) -> io::Result<()> {
    // SAFETY: SIG_IGN is no function, so none can run at a wrong time.
    let old = unsafe { libc::signal(signal, libc::SIG_IGN) };
    if old == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(()) }
}
