//! One open file, from the kernel's own iterator over files.

use portbind_abi::OpenSocket;

use super::wanted::{SOCKFS_MAGIC, is_wanted};
use crate::kernel::globals::at;
use crate::kernel::iterator::FileContext;

/// Reports one open file, if it is a wanted socket.
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
