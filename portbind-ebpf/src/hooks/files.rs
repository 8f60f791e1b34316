//! Iterator over the open files of every task: which process has a socket open.

#![expect(
    unsafe_code,
    reason = "aya-ebpf 0.2 has no macro for iterators: section and context are spelled out"
)]

use core::ffi::c_void;

use portbind_ebpf::abi::OpenSocket;

use super::tracepoint::is_socket;
use crate::kernel::{OpenFile, at};

/// Context of `bpf_iter__task_file` (kernel/bpf/task_iter.c).
// SAFETY: no other symbol of this name exists; the loader finds the program by its section.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task_file")]
pub(crate) extern "C" fn open_sockets(context: *mut c_void) -> i32 {
    // SAFETY: the section makes the kernel pass such a context.
    let Some(open) = (unsafe { OpenFile::from_context(context) }) else {
        return 0;
    };
    if is_socket(open.file) {
        open.write(&OpenSocket {
            inode: open.file.follow(at!(file_inode)).read(at!(inode_ino)),
            pid: open.task.read::<i32>(at!(task_tgid)) as u32,
            fd: open.fd,
        });
    }
    0
}
