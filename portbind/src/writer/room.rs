//! Errors of devices that have no room.

use std::io;

use rustix::io::Errno;

/// Whether a file cannot be opened or written because its device has no room, or is broken.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        || error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_no_lack_of_room() {
        let full = [Errno::NOSPC, Errno::DQUOT, Errno::IO];
        assert!(full.into_iter().all(|errno| is_full(&errno.into())));
        let others = [Errno::ACCESS, Errno::NOENT, Errno::LOOP];
        assert!(!others.into_iter().any(|errno| is_full(&errno.into())));
    }
}
