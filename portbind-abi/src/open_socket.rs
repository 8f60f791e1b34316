//! Open sockets, as the iterator over tasks and files tells them.

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
    /// Descriptor.
    pub fd: u32,
}
}

/// Words of 64 bits in a set of inodes.
const INODE_WORDS: usize = 1024;

/// Which sockets are reported, by their inodes' lowest 16 bits: none of them is missing, and others may be among them.
/// Numbers of sockets come from a counter, so that those of 65,536 sockets in a row differ.
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

    /// Adds one.
    pub fn insert(&mut self, inode: u64) {
        self.words[Self::word(inode)] |= 1 << (inode & 63);
    }

    /// Whether it may be among them.
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
        // 65,535 and the largest number have the same place.
        assert_eq!((0..65_536).filter(|&inode| some.may_have(inode)).count(), 5);
    }
}
