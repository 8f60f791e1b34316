//! Open sockets, the output of the iterator over tasks and files.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

record! {
/// One open socket.
pub struct OpenSocket = 24 {
    /// Inode number in sockfs.
    pub inode: u64,
    /// When the process started, in nanoseconds since boot.
    pub start_time: u64,
    /// Thread group id, in the initial pid namespace.
    pub pid: u32,
    /// File descriptor.
    pub fd: u32,
}
}

/// Words of 64 bits in a set of inode numbers.
const INODE_WORDS: usize = 1024;

/// The set of wanted sockets, by the lowest 16 bits of their inode numbers: it contains every wanted socket, and may
/// contain further ones. Socket inode numbers come from a counter, so 65,536 consecutive sockets have different lowest
/// 16 bits.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "zerocopy", derive(FromBytes, IntoBytes, Immutable, KnownLayout))]
pub struct Inodes {
    words: [u64; INODE_WORDS],
}

impl Inodes {
    /// No socket.
    pub const NONE: Self = Self { words: [0; INODE_WORDS] };
    /// Every socket.
    pub const ALL: Self = Self { words: [u64::MAX; INODE_WORDS] };

    /// Adds a socket.
    pub fn insert(&mut self, inode: u64) {
        self.words[Self::word(inode)] |= 1 << (inode & 63);
    }

    /// Whether the set may contain the socket.
    #[inline(always)]
    #[must_use]
    pub fn may_have(&self, inode: u64) -> bool {
        self.words[Self::word(inode)] >> (inode & 63) & 1 == 1
    }

    #[inline(always)]
    const fn word(inode: u64) -> usize {
        (inode >> 6) as usize % INODE_WORDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misses_none_and_takes_few_others() {
        let mut some = Inodes::NONE;
        for inode in [0, 63, 64, 65_535, 70_000, u64::MAX] {
            assert!(!Inodes::NONE.may_have(inode) && Inodes::ALL.may_have(inode));
            some.insert(inode);
            assert!(some.may_have(inode) && some.may_have(inode.wrapping_add(65_536)));
        }
        // 65,535 and the largest number share a bit.
        assert_eq!((0..65_536).filter(|&inode| some.may_have(inode)).count(), 5);
    }
}
