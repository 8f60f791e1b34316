//! Descriptors that a helper process inherits from its parent.

#![expect(unsafe_code, reason = "a number on the command line becomes an owned descriptor")]

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::sync::Mutex;
use std::sync::PoisonError;

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// Descriptor numbers that have been taken: each has an owner already.
static TAKEN: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());

/// Takes the descriptor with this number, once, and makes it close on the next execve(2). Call this before the process
/// opens anything that it keeps.
///
/// # Errors
/// If there is no such descriptor, it is a standard stream, it was taken before, or this process opened it itself (such
/// a descriptor is already closed on execve).
pub fn take(number: RawFd) -> io::Result<OwnedFd> {
    let wrong = || io::Error::from_raw_os_error(libc::EBADF);
    if number <= libc::STDERR_FILENO || !TAKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(number) {
        return Err(wrong());
    }
    // SAFETY: the number is not -1 and is used only to read flags; if it is not open, the call returns an error.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    if fcntl_getfd(borrowed)?.contains(FdFlags::CLOEXEC) {
        return Err(wrong());
    }
    // SAFETY: the descriptor is open, was inherited over an execve (Rust closes all its own descriptors there), is no
    // standard stream, and was not taken before: this is its only owner.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl_setfd(owned.as_fd(), FdFlags::CLOEXEC)?;
    Ok(owned)
}

/// Closes all inherited descriptors except the standard streams: the process that started portbind may have had files
/// open that a helper process does not need. Call this before the process opens anything.
pub fn close_the_rest() {
    let first = libc::STDERR_FILENO + 1;
    // SAFETY: this process owns no descriptor yet except the standard streams. The call takes numbers only, and a
    // kernel without the call (before 5.9) changes nothing.
    let _unchanged = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn inherited_descriptors_alone_are_taken_and_only_once() {
        let (read, write) = io::pipe().unwrap();
        for refused in [-1, 0, 1, 2, 1_000_000, read.as_raw_fd()] {
            assert!(take(refused).is_err(), "{refused}");
        }
        let number = std::os::fd::IntoRawFd::into_raw_fd(OwnedFd::from(write));
        // SAFETY: the number has no owner since the line above.
        let inherited = unsafe { BorrowedFd::borrow_raw(number) };
        fcntl_setfd(inherited, FdFlags::empty()).unwrap();
        let taken = take(number).unwrap();
        assert!(fcntl_getfd(&taken).unwrap().contains(FdFlags::CLOEXEC));
        assert!(take(number).is_err());
    }
}
