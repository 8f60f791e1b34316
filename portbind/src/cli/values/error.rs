//! Errors for words that cannot be parsed, and the parsing that all words share.

use std::str::FromStr;

/// A word that cannot be parsed, with the expected syntax.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not a port.
    #[error("{0:?} is not a port; give numbers from 0 to 65535 and ranges, as in 8080,9000-9010")]
    Port(String),
    /// The end of a range lies before its start.
    #[error("the range {0:?} ends before it starts; give the lower port first")]
    ReversedRange(String),
    /// Not a known error.
    #[error(
        "{0:?} is not a known error; give names or numbers, as in eaddrinuse,eacces or 98,13, or \"all\""
    )]
    Errno(String),
    /// Not a protocol.
    #[error(
        "{0:?} is not a known protocol; choose from tcp, udp, mptcp, ping, udplite, sctp, unix, netlink and vsock"
    )]
    Protocol(String),
    /// Not a network namespace.
    #[error(
        "{0:?} is not a network namespace; give its inode number, a path, pid:N, or a name under /run/netns"
    )]
    Netns(String),
    /// Empty, or contains a NUL.
    #[error("{0:?} is not a name of a process; give the name as in /proc/PID/comm")]
    Comm(String),
    /// Longer than the names that the kernel stores.
    #[error("{word:?} is too long; the kernel keeps 15 bytes of a name, so give {kept:?}")]
    LongComm {
        /// The whole word.
        word: String,
        /// The part that the kernel stores.
        kept: String,
    },
    /// Neither a port nor the name of a socket.
    #[error(
        "{0:?} is neither a port nor the path of a socket; give a number from 1 to 65535, a path with a slash in \
         it, or @NAME of an abstract socket"
    )]
    Target(String),
    /// Not a protocol that has ports.
    #[error("{0:?} is not a protocol with ports; choose from tcp, udp, mptcp, udplite and sctp")]
    PortProtocol(String),
    /// Not a duration.
    #[error("{0:?} is not a length of time; give a positive number of seconds, as in 30, 0.5, 5m or 1h")]
    Seconds(String),
    /// Not a time zone.
    #[error("{0:?} is not a time zone that this machine knows; give UTC or a name such as Europe/Berlin")]
    Zone(String),
}

/// The parts of a list, without surrounding blanks.
pub(super) fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

/// A number in plain digits: no sign, no blanks.
pub(super) fn digits<T: FromStr>(word: &str) -> Option<T> {
    let plain = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| word.parse().ok()).flatten()
}
