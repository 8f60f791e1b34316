//! Of all open files, the sockets that are asked for: there are many of the former, so that this is about speed.
//!
//! The kernel's own iterator over files takes a reference to each and gives it back, which is half of the time of a
//! walk, and has the end of a socket wait for us. So the tables of descriptors are looked through here, task by task.
//! That takes a loop without a bound: the object for older kernels goes by files.

#[cfg(not(feature = "bounded"))]
mod table;

use portbind_ebpf::abi::OpenSocket;

#[cfg(not(feature = "bounded"))]
pub(crate) use table::of_task;

#[cfg(feature = "bounded")]
use crate::kernel::{FileContext, at};
use crate::maps::INODES;

/// `SOCKFS_MAGIC` (include/uapi/linux/magic.h).
pub(crate) const SOCKFS_MAGIC: u64 = 0x534F_434B;

/// Whether the reader may have asked for it, by the number of an inode of any file system.
#[inline(always)]
fn is_wanted(inode: u64) -> bool {
    INODES.get(0).is_some_and(|wanted| wanted.may_have(inode))
}

/// Tells one open file.
#[cfg(feature = "bounded")]
#[inline(always)]
pub(crate) fn one(context: &FileContext) {
    let inode = context.file.follow(at!(file_inode));
    let number = inode.read(at!(inode_ino));
    if is_wanted(number) && inode.follow(at!(inode_sb)).read::<u64>(at!(super_magic)) == SOCKFS_MAGIC {
        let pid = context.task.read::<i32>(at!(task_tgid)) as u32;
        let start_time = context.task.follow(at!(task_group_leader)).read(at!(task_start_boottime));
        context.reader.write(&OpenSocket { inode: number, start_time, pid, fd: context.fd });
    }
}
