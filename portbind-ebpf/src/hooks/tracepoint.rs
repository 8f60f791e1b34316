//! Backend `tracepoint`: system calls only, seen at their end; the socket is found through its file descriptor.
//!
//! The program runs at the end of every system call on the machine, so it tests the return value first.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use portbind_abi::operation;

use super::system_call::SystemCall;
use crate::filter;
use crate::kernel::context::{Registers, argument};
use crate::kernel::globals::at;
use crate::kernel::memory::{Memory, Ptr};
use crate::kernel::task::current_task;
use crate::open_files::wanted::SOCKFS_MAGIC;
use crate::portless::{self, Name};
use crate::refusal::{EADDRINUSE, FailedCall, Search, call_failed, call_succeeded};
use crate::sock::handle::Sock;
use crate::storm;

/// Errors lie between -MAX_ERRNO and -1.
const MAX_ERRNO: u64 = 4095;

/// `TP_PROTO(struct pt_regs *regs, long ret)` of raw tracepoint `sys_exit`.
#[btf_tracepoint(function = "sys_exit")]
#[inline(always)]
pub(crate) fn tracepoint_sys_exit(context: BtfTracePointContext) -> i32 {
    let error = error(&context);
    if error > MAX_ERRNO || (error != 0 && !filter::is_refusal(error as u32)) {
        return 0;
    }
    system_call_returned(&context);
    0
}

/// The error that a system call returned, loaded again at each use: otherwise the verifier would go through the
/// following code once for each path on which the value has other bounds.
#[inline(always)]
fn error(context: &BtfTracePointContext) -> u64 {
    argument(context, 1).wrapping_neg()
}

#[inline(always)]
fn system_call_returned(context: &BtfTracePointContext) {
    let registers = Registers::of_argument(context);
    let Some(call) = SystemCall::of_registers(|offset| registers.at(offset)) else { return };
    // Only sockets can get EADDRINUSE. For any other error, the socket must be examined.
    if error(context) as u32 == EADDRINUSE && storm::counts_only() {
        return;
    }
    let sock = sock_of_descriptor(call.fd);
    if sock.0.is_null() {
        return;
    }
    match (sock.is_internet(), error(context) as u32) {
        (true, 0) => call_succeeded(sock, call.address, call.operation, Memory::User),
        (true, error) => {
            let SystemCall { address, operation, .. } = call;
            let call = FailedCall { address, memory: Memory::User, error, operation };
            call_failed(sock, &call, || self::error(context) as u32 == EADDRINUSE, Search::EITHER);
        }
        (false, 0) => {}
        (false, error) if call.operation == operation::BIND => {
            portless::emit(sock, Name { at: call.address, len: call.length, memory: Memory::User }, error);
        }
        (false, _) => {}
    }
}

/// The socket behind a descriptor of the current task; null if it is none.
#[inline(always)]
pub(super) fn sock_of_descriptor(fd: u32) -> Sock {
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
fn is_socket(file: Ptr) -> bool {
    let inode = file.follow(at!(file_inode));
    !inode.is_null() && inode.follow(at!(inode_sb)).read::<u64>(at!(super_magic)) == SOCKFS_MAGIC
}
