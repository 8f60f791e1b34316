//! Namespaces.

#![expect(unsafe_code, reason = "no crate wraps the call")]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

pub use libc::CLONE_NEWNET;

/// NS_GET_NSTYPE (include/uapi/linux/nsfs.h, since 4.11).
const NS_GET_NSTYPE: libc::Ioctl = 0xb703;

/// The kind of namespace that a file in nsfs refers to: a flag of clone(2), such as [`CLONE_NEWNET`].
///
/// # Errors
/// The errors of ioctl_ns(2).
pub fn namespace_kind(file: BorrowedFd<'_>) -> io::Result<i32> {
    // SAFETY: this call takes no argument, and the descriptor is borrowed for longer than the call.
    let kind = unsafe { libc::ioctl(file.as_raw_fd(), NS_GET_NSTYPE) };
    if kind < 0 { Err(io::Error::last_os_error()) } else { Ok(kind) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn kinds_of_namespaces() {
        let kind = |path: &str| namespace_kind(File::open(path).unwrap().as_fd());
        assert_eq!(kind("/proc/self/ns/net").unwrap(), CLONE_NEWNET);
        assert_eq!(kind("/proc/self/ns/mnt").unwrap(), libc::CLONE_NEWNS);
        assert!(kind("/proc/self/status").is_err());
    }
}
