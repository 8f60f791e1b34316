//! Backend `tracepoint`: system calls only, seen at their end; the socket is found by its descriptor.
//!
//! The program runs at the end of every system call of the machine, so it looks at the return
//! value before anything else.

use core::mem::offset_of;

use aya_ebpf::bindings::pt_regs;
use aya_ebpf::macros::raw_tracepoint;
use aya_ebpf::programs::RawTracePointContext;
use portbind_ebpf::abi::operation;

use crate::filter;
use crate::kernel::{Ptr, at, current_task};
use crate::refusal::system_call_failed;
use crate::sock::Sock;

/// System call numbers of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
const BIND: u64 = 49;
const LISTEN: u64 = 50;
/// The same of 32-bit programs (syscall_32.tbl); x86-64 has no call with these numbers.
const COMPAT_BIND: u64 = 361;
const COMPAT_LISTEN: u64 = 363;
/// `SOCKFS_MAGIC` (include/uapi/linux/magic.h).
const SOCKFS_MAGIC: u64 = 0x534F_434B;
/// Errors lie between -MAX_ERRNO and -1.
const MAX_ERRNO: u64 = 4095;

/// `TP_PROTO(struct pt_regs *regs, long ret)` of raw tracepoint `sys_exit`.
#[raw_tracepoint(tracepoint = "sys_exit")]
#[inline(always)]
pub(crate) fn tracepoint_sys_exit(context: RawTracePointContext) -> i32 {
    let error = context.arg::<u64>(1).wrapping_neg();
    if error == 0 || error > MAX_ERRNO || !filter::is_refusal(error as u32) {
        return 0;
    }
    system_call_returned(Ptr(context.arg(0)), error as u32);
    0
}

#[inline(always)]
fn system_call_returned(registers: Ptr, error: u32) {
    let register = |offset: usize| registers.read::<u64>(offset as u32);
    let (operation, fd, address) = match register(offset_of!(pt_regs, orig_rax)) {
        BIND => (operation::BIND, offset_of!(pt_regs, rdi), register(offset_of!(pt_regs, rsi))),
        LISTEN => (operation::LISTEN, offset_of!(pt_regs, rdi), 0),
        COMPAT_BIND => (operation::BIND, offset_of!(pt_regs, rbx), register(offset_of!(pt_regs, rcx))),
        COMPAT_LISTEN => (operation::LISTEN, offset_of!(pt_regs, rbx), 0),
        _ => return,
    };
    let sock = sock_of_descriptor(register(fd) as u32);
    if !sock.0.is_null() && sock.is_internet() {
        system_call_failed(sock, Ptr(address), error, operation);
    }
}

/// The socket behind a descriptor of the current task; null if it is none.
#[inline(always)]
fn sock_of_descriptor(fd: u32) -> Sock {
    let table = current_task().follow(at!(task_files)).follow(at!(files_fdt));
    if fd >= table.read::<u32>(at!(fdt_max_fds)) {
        return Sock(Ptr(0));
    }
    let entry = Ptr(table.follow(at!(fdt_fd)).0.wrapping_add(u64::from(fd) * 8));
    let file = entry.follow(0);
    if !is_socket(file) {
        return Sock(Ptr(0));
    }
    Sock::of_socket(file.follow(at!(file_private_data)))
}

/// Whether a `struct file` is a socket.
#[inline(always)]
pub(super) fn is_socket(file: Ptr) -> bool {
    let inode = file.follow(at!(file_inode));
    !inode.is_null() && inode.follow(at!(inode_sb)).read::<u64>(at!(super_magic)) == SOCKFS_MAGIC
}
