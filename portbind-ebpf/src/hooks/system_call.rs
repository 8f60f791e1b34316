//! A bind or listen system call, as the registers of the caller tell it at its end.

use core::mem::offset_of;

use aya_ebpf::bindings::pt_regs;
use portbind_ebpf::abi::operation;

use crate::kernel::Ptr;

/// System call numbers of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
const BIND: u64 = 49;
const LISTEN: u64 = 50;
/// The same of 32-bit programs (syscall_32.tbl); x86-64 has no call with these numbers.
const COMPAT_BIND: u64 = 361;
const COMPAT_LISTEN: u64 = 363;
/// socketcall(2) of 32-bit programs; in x86-64 this is getuid, which never fails.
const COMPAT_SOCKETCALL: u64 = 102;
/// Its calls (`SYS_BIND` and `SYS_LISTEN`, include/uapi/linux/net.h).
const SOCKETCALL_BIND: u64 = 2;
const SOCKETCALL_LISTEN: u64 = 4;

/// A call to bind or listen.
pub(super) struct SystemCall {
    /// `abi::operation`.
    pub(super) operation: u32,
    /// The descriptor it was given.
    pub(super) fd: u32,
    /// The sockaddr in user memory; null for listen.
    pub(super) address: Ptr,
    /// Bytes of it, as the caller says.
    pub(super) length: u32,
}

impl SystemCall {
    /// Asks for the registers at these offsets of `struct pt_regs`; `None` for any other call.
    #[inline(always)]
    pub(super) fn of_registers(register: impl Fn(usize) -> u64) -> Option<Self> {
        let number = register(offset_of!(pt_regs, orig_rax));
        let (first, second) = match number {
            BIND | LISTEN => (offset_of!(pt_regs, rdi), offset_of!(pt_regs, rsi)),
            COMPAT_BIND | COMPAT_LISTEN | COMPAT_SOCKETCALL => {
                (offset_of!(pt_regs, rbx), offset_of!(pt_regs, rcx))
            }
            _ => return None,
        };
        let (first, second) = (register(first), register(second));
        // Both kinds of calls have their third argument here.
        let third = register(offset_of!(pt_regs, rdx)) as u32;
        match (number, first) {
            (BIND | COMPAT_BIND, fd) => Some(Self::bind(fd as u32, second, third)),
            (LISTEN | COMPAT_LISTEN, fd) => Some(Self::listen(fd as u32)),
            (COMPAT_SOCKETCALL, SOCKETCALL_BIND) => {
                let [fd, address, length] = [0, 4, 8].map(|offset| Ptr(second).read_user::<u32>(offset));
                Some(Self::bind(fd, u64::from(address), length))
            }
            (COMPAT_SOCKETCALL, SOCKETCALL_LISTEN) => Some(Self::listen(Ptr(second).read_user(0))),
            _ => None,
        }
    }

    #[inline(always)]
    fn bind(fd: u32, address: u64, length: u32) -> Self {
        Self { operation: operation::BIND, fd, address: Ptr(address), length }
    }

    #[inline(always)]
    fn listen(fd: u32) -> Self {
        Self { operation: operation::LISTEN, fd, address: Ptr(0), length: 0 }
    }
}
