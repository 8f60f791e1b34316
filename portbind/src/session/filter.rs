//! The filter that the kernel half applies, from what the caller of a session wants.

use portbind_abi::{COMM_LEN, ERROR_WORDS, protocol};
use zerocopy::transmute;

use crate::event::Errno;

/// Sockets that a session can be limited to: a transport protocol, or a family that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProtocolFilter {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// MPTCP.
    Mptcp,
    /// ICMP echo sockets.
    Ping,
    /// UDP-Lite.
    Udplite,
    /// SCTP.
    Sctp,
    /// AF_UNIX sockets of any type.
    Unix,
    /// AF_NETLINK sockets of any protocol.
    Netlink,
    /// AF_VSOCK sockets of any type.
    Vsock,
}

impl ProtocolFilter {
    /// The bit of [`portbind_abi::protocol`].
    pub(crate) const fn bit(self) -> u32 {
        match self {
            Self::Tcp => protocol::TCP,
            Self::Udp => protocol::UDP,
            Self::Mptcp => protocol::MPTCP,
            Self::Ping => protocol::PING,
            Self::Udplite => protocol::UDPLITE,
            Self::Sctp => protocol::SCTP,
            Self::Unix => protocol::UNIX,
            Self::Netlink => protocol::NETLINK,
            Self::Vsock => protocol::VSOCK,
        }
    }
}

/// The errors as a bitmap. Linux has no error number that does not fit.
pub(super) fn errors(errors: impl IntoIterator<Item = Errno>) -> [u64; ERROR_WORDS] {
    let mut words = [0; ERROR_WORDS];
    errors.into_iter().for_each(|error| add_error(&mut words, error));
    words
}

/// Adds an error to a bitmap: error `e` is bit `e % 64` of word `e / 64`.
pub(crate) fn add_error(words: &mut [u64; ERROR_WORDS], Errno(number): Errno) {
    let word = usize::try_from(number / 64).ok().and_then(|index| words.get_mut(index));
    if let Some(word) = word {
        *word |= 1 << (number % 64);
    }
}

/// The name of a process or thread as the kernel stores it, and the bits to compare: the name and its closing NUL.
pub(crate) fn comm(name: &str) -> ([u64; 2], [u64; 2]) {
    let bytes = name.bytes().take_while(|byte| *byte != 0).take(COMM_LEN - 1);
    let (mut padded, mut mask) = ([0_u8; COMM_LEN], [0_u8; COMM_LEN]);
    let mut len = 0;
    for (to, byte) in padded.iter_mut().zip(bytes) {
        *to = byte;
        len += 1;
    }
    mask.iter_mut().take(len + 1).for_each(|byte| *byte = u8::MAX);
    (transmute!(padded), transmute!(mask))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(words: [u64; 2]) -> [u8; COMM_LEN] {
        transmute!(words)
    }

    #[test]
    fn errors_are_bits() {
        assert_eq!(errors([Errno::EADDRINUSE]), portbind_abi::Filter::ANY.errors);
        assert_eq!(errors([Errno(1), Errno(64), Errno(133)]), [1 << 1, 1 << 0, 1 << 5]);
        assert_eq!(errors([Errno(192), Errno(u32::MAX)]), [0; ERROR_WORDS]);
    }

    #[test]
    fn names_are_compared_with_their_end() {
        let (name, mask) = comm("java");
        assert_eq!(&bytes(name)[..5], b"java\0");
        assert_eq!(bytes(mask).map(|byte| byte == u8::MAX), std::array::from_fn(|index| index < 5));
    }

    #[test]
    fn long_names_are_cut_as_in_the_kernel() {
        assert_eq!(comm("a-name-of-sixteen"), comm("a-name-of-sixte"));
        assert_eq!(bytes(comm("a-name-of-sixteen").1), [u8::MAX; COMM_LEN]);
        assert_eq!(comm("sh\0x"), comm("sh"));
    }
}
