//! The test for wanted sockets among the open files.

use crate::maps::INODES;

/// `SOCKFS_MAGIC` (include/uapi/linux/magic.h).
pub(crate) const SOCKFS_MAGIC: u64 = 0x534F_434B;

/// Whether the reader may want the file, by its inode number in whatever file system.
#[inline(always)]
pub(super) fn is_wanted(inode: u64) -> bool {
    INODES.get(0).is_some_and(|wanted| wanted.may_have(inode))
}
