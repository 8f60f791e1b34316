//! A bind or listen system call, read from the caller's registers at the end of the call.

use core::mem::offset_of;

use aya_ebpf::bindings::pt_regs;
use portbind_abi::operation;

use crate::kernel::memory::Ptr;
use crate::kernel::volatile::opaque;
use crate::sock::bits::nonzero;

/// System call numbers of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
const BIND: u64 = 49;
const LISTEN: u64 = 50;
/// The same calls of 32-bit programs (syscall_32.tbl); x86-64 has no calls with these numbers.
const COMPAT_BIND: u64 = 361;
const COMPAT_LISTEN: u64 = 363;
/// socketcall(2) of 32-bit programs; on x86-64 this number is getuid, which never fails.
const COMPAT_SOCKETCALL: u64 = 102;
/// The calls within socketcall (`SYS_BIND` and `SYS_LISTEN`, include/uapi/linux/net.h).
const SOCKETCALL_BIND: u64 = 2;
const SOCKETCALL_LISTEN: u64 = 4;

/// A call to bind or listen.
pub(super) struct SystemCall {
    /// `portbind_abi::operation`.
    pub(super) operation: u32,
    /// The socket's file descriptor.
    pub(super) fd: u32,
    /// The sockaddr in user memory; null for listen.
    pub(super) address: Ptr,
    /// Length of the sockaddr, as the caller gave it.
    pub(super) length: u32,
}

impl SystemCall {
    /// Decodes the call through `register`, which reads the register at an offset of `struct pt_regs`; `None` for any
    /// other call.
    ///
    /// The fields are calculated without branches, from a register that is read again. So the verifier's state here is
    /// the same on all paths, and the verifier goes through the following code once, not five times.
    #[inline(always)]
    pub(super) fn of_registers(register: impl Fn(usize) -> u64) -> Option<Self> {
        let number = register(offset_of!(pt_regs, orig_rax));
        if !matches!(number, BIND | LISTEN | COMPAT_BIND | COMPAT_LISTEN | COMPAT_SOCKETCALL) {
            return None;
        }
        let number = register(offset_of!(pt_regs, orig_rax));
        let is_native = equal(number, BIND) | equal(number, LISTEN);
        let one_of =
            |native: u64, compat: u64| native.wrapping_mul(is_native) | compat.wrapping_mul(is_native ^ 1);
        let first = one_of(register(offset_of!(pt_regs, rdi)), register(offset_of!(pt_regs, rbx)));
        let second = one_of(register(offset_of!(pt_regs, rsi)), register(offset_of!(pt_regs, rcx)));
        // Native and 32-bit calls both pass their third argument in this register.
        let third = register(offset_of!(pt_regs, rdx)) as u32;
        if opaque(equal(number, COMPAT_SOCKETCALL)) != 0 {
            let is_bind = equal(first, SOCKETCALL_BIND);
            if opaque(is_bind | equal(first, SOCKETCALL_LISTEN)) == 0 {
                return None;
            }
            // listen has only two arguments: its third value is meaningless and not used.
            let [fd, address, length] = [0, 4, 8].map(|offset| Ptr(second).read_user::<u32>(offset));
            return Some(Self::new(is_bind, fd, u64::from(address), length));
        }
        let is_bind = equal(number, BIND) | equal(number, COMPAT_BIND);
        Some(Self::new(is_bind, first as u32, second, third))
    }

    /// A bind if `is_bind` is 1, a listen if it is 0.
    #[inline(always)]
    fn new(is_bind: u64, fd: u32, address: u64, length: u32) -> Self {
        let bit = is_bind as u32;
        Self {
            operation: operation::BIND.wrapping_mul(bit) | operation::LISTEN.wrapping_mul(bit ^ 1),
            fd,
            address: Ptr(address.wrapping_mul(is_bind)),
            length: length.wrapping_mul(bit),
        }
    }
}

/// 1 if two values are the same, else 0, without a branch.
#[inline(always)]
fn equal(one: u64, other: u64) -> u64 {
    1 ^ nonzero(one ^ other)
}
