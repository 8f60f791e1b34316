//! Descriptors that a helper process inherits from the process that started it.

#![expect(unsafe_code, reason = "a number on the command line becomes a descriptor that is owned")]

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::sync::Mutex;
use std::sync::PoisonError;

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// Numbers that have been taken: nothing else in this process may own them.
static TAKEN: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());

/// Takes the descriptor of this number, once, and has it closed on the next execve(2). To be called before this
/// process opens anything that it keeps.
///
/// # Errors
/// If there is no such descriptor, it is one of the standard streams, it was taken before, or this process has
/// opened it by itself (such a one is closed on execve).
pub fn take(number: RawFd) -> io::Result<OwnedFd> {
    let wrong = || io::Error::from_raw_os_error(libc::EBADF);
    if number <= libc::STDERR_FILENO || !TAKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(number) {
        return Err(wrong());
    }
    // SAFETY: it is not -1, and is only asked for its flags; a number that is not open is an error of that call.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    if fcntl_getfd(borrowed)?.contains(FdFlags::CLOEXEC) {
        return Err(wrong());
    }
    // SAFETY: it is open, was inherited over an execve (all that Rust opens is closed there), is no standard
    // stream, and has been taken by nobody else: this is its only owner.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl_setfd(owned.as_fd(), FdFlags::CLOEXEC)?;
    Ok(owned)
}

/// Closes what this process has inherited, but for the standard streams: whoever started portbind may have had files
/// open that a helper process has no use for. To be called before this process opens anything.
pub fn close_the_rest() {
    let first = libc::STDERR_FILENO + 1;
    // SAFETY: nothing in this process owns a descriptor yet but the standard streams. The call takes numbers alone, and a
    // kernel that lacks it (before 5.9) changes nothing.
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
        // SAFETY: the number is owned by nobody since the line above.
        let inherited = unsafe { BorrowedFd::borrow_raw(number) };
        fcntl_setfd(inherited, FdFlags::empty()).unwrap();
        let taken = take(number).unwrap();
        assert!(fcntl_getfd(&taken).unwrap().contains(FdFlags::CLOEXEC));
        assert!(take(number).is_err());
    }
}
