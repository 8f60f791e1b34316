//! Iterator over the open files of every task: which process has a socket open.

#![expect(
    unsafe_code,
    reason = "aya-ebpf 0.2 has no macro for iterators: section and context are spelled out"
)]

use core::ffi::c_void;

use portbind_ebpf::abi::OpenSocket;

use super::tracepoint::SOCKFS_MAGIC;
use crate::kernel::{OpenFile, at};
use crate::maps::INODES;

/// Context of `bpf_iter__task_file` (kernel/bpf/task_iter.c).
///
/// It runs for every open file of the machine, and nearly none is asked for: the number of the inode, of whatever
/// file system, tells that soonest.
// SAFETY: no other symbol of this name exists; the loader finds the program by its section.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task_file")]
pub(crate) extern "C" fn open_sockets(context: *mut c_void) -> i32 {
    // SAFETY: the section makes the kernel pass such a context.
    let Some(open) = (unsafe { OpenFile::from_context(context) }) else {
        return 0;
    };
    let inode = open.file.follow(at!(file_inode));
    let number = inode.read(at!(inode_ino));
    let is_wanted = INODES.get(0).is_some_and(|wanted| wanted.may_have(number));
    if is_wanted && inode.follow(at!(inode_sb)).read::<u64>(at!(super_magic)) == SOCKFS_MAGIC {
        open.write(&OpenSocket {
            inode: number,
            pid: open.task.read::<i32>(at!(task_tgid)) as u32,
            fd: open.fd,
        });
    }
    0
}
