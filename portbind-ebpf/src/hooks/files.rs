//! Iterators over the open files of every task: which process has a socket open.

#![expect(
    unsafe_code,
    reason = "aya-ebpf 0.2 has no macro for iterators: section and context are spelled out"
)]

use core::ffi::c_void;

#[cfg(feature = "bounded")]
use crate::kernel::iterator::FileContext;
#[cfg(not(feature = "bounded"))]
use crate::kernel::iterator::TaskContext;
#[cfg(feature = "bounded")]
use crate::open_files::file;
#[cfg(not(feature = "bounded"))]
use crate::open_files::table;

/// Context of `bpf_iter__task` (kernel/bpf/task_iter.c).
// SAFETY: no other symbol of this name exists; the loader finds the program by its section.
#[cfg(not(feature = "bounded"))]
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task")]
pub(crate) extern "C" fn sockets_by_task(context: *mut c_void) -> i32 {
    // SAFETY: the section makes the kernel pass such a context.
    if let Some(context) = unsafe { TaskContext::read(context) } {
        table::of_task(context);
    }
    0
}

/// Context of `bpf_iter__task_file` (kernel/bpf/task_iter.c).
// SAFETY: no other symbol of this name exists; the loader finds the program by its section.
#[cfg(feature = "bounded")]
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task_file")]
pub(crate) extern "C" fn sockets_by_file(context: *mut c_void) -> i32 {
    // SAFETY: the section makes the kernel pass such a context.
    if let Some(context) = unsafe { FileContext::read(context) } {
        file::one(&context);
    }
    0
}
