//! Backends `fexit` and `kprobe` for portless sockets: the returns of their bind functions.

use aya_ebpf::macros::{fexit, kprobe, kretprobe};
use aya_ebpf::programs::{FExitContext, ProbeContext, RetProbeContext};
use portbind_abi::counter;

use super::fexit::argument;
#[cfg(not(feature = "bounded"))]
use super::system_call::SystemCall;
use super::tracepoint::sock_of_descriptor;
#[cfg(not(feature = "bounded"))]
use crate::kernel::context::Registers;
use crate::kernel::counters::count;
use crate::kernel::memory::{Memory, Ptr};
use crate::kernel::task::current_ids;
use crate::kernel::values::ByTask;
use crate::maps::{PORTLESS_BINDS, PortlessBind};
#[cfg(feature = "bounded")]
use crate::portless::has_no_hook;
use crate::portless::{Name, bind_returned, system_bind_returned};
use crate::sock::handle::Sock;

/// `int unix_bind(struct socket *sock, struct sockaddr *uaddr, int addr_len)`, and `netlink_bind` with the same
/// arguments: the sockaddr is the kernel's copy, and the return value follows the arguments.
macro_rules! bind {
    ($($name:ident),*) => { $(
        #[fexit]
        #[inline(always)]
        pub(crate) fn $name(context: FExitContext) -> i32 {
            let status = context.arg(3);
            if status < 0 {
                let sock = Sock::of_socket(argument(&context, 0));
                let name = Name { at: argument(&context, 1), len: context.arg(2), memory: Memory::Kernel };
                bind_returned(sock, name, status);
            }
            0
        }
    )* };
}
bind!(fexit_unix_bind, fexit_netlink_bind);

/// `int __sys_bind(int fd, struct sockaddr __user *umyaddr, int addrlen)`: every bind system call.
#[fexit]
#[inline(always)]
pub(crate) fn fexit_system_bind(context: FExitContext) -> i32 {
    let status = context.arg(3);
    if status < 0 {
        let sock = sock_of_descriptor(context.arg(0));
        let name = Name { at: argument(&context, 1), len: context.arg(2), memory: Memory::User };
        system_bind_returned(sock, name, status);
    }
    0
}

/// Entry of `unix_bind` and `netlink_bind`.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_portless_bind(context: ProbeContext) -> u32 {
    enter(Sock::of_socket(Ptr(context.arg(0).unwrap_or(0))), &context);
    0
}

/// Return of `unix_bind` and `netlink_bind`.
#[kretprobe]
#[inline(always)]
pub(crate) fn kretprobe_portless_bind(context: RetProbeContext) -> u32 {
    leave(&context, Memory::Kernel);
    0
}

/// Entry of `__sys_bind`. Skips families with their own hook: that hook would use the arguments saved here in place of
/// its own.
#[cfg(feature = "bounded")]
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_system_bind(context: ProbeContext) -> u32 {
    let sock = sock_of_descriptor(context.arg(0).unwrap_or(0));
    if has_no_hook(sock) {
        enter(sock, &context);
    }
    0
}

/// Return of `__sys_bind`.
#[cfg(feature = "bounded")]
#[kretprobe]
#[inline(always)]
pub(crate) fn kretprobe_system_bind(context: RetProbeContext) -> u32 {
    leave(&context, Memory::User);
    0
}

/// Return of `__sys_bind`. Reads the arguments from the registers saved at the system call's entry. This needs a newer
/// kernel, and saves every successful bind an entry probe.
#[cfg(not(feature = "bounded"))]
#[kretprobe]
#[inline(always)]
pub(crate) fn kretprobe_system_bind(context: RetProbeContext) -> u32 {
    let status = context.ret();
    if status < 0 {
        let registers = Registers::of_current_task();
        if let Some(call) = SystemCall::of_registers(|offset| registers.at(offset)) {
            let name = Name { at: call.address, len: call.length, memory: Memory::User };
            system_bind_returned(sock_of_descriptor(call.fd), name, status);
        }
    }
    0
}

#[inline(always)]
fn enter(sock: Sock, context: &ProbeContext) {
    let address = context.arg(1).unwrap_or(0);
    let len = u64::from(context.arg::<u32>(2).unwrap_or(0));
    if PORTLESS_BINDS.insert(current_ids(), PortlessBind { sock: sock.0.0, address, len }, 0).is_err() {
        count(counter::LOST_ENTRIES);
    }
}

#[inline(always)]
fn leave(context: &RetProbeContext, memory: Memory) {
    let task = current_ids();
    if let Some(bind) = PORTLESS_BINDS.of_task(task) {
        let _ = PORTLESS_BINDS.remove(task);
        let name = Name { at: Ptr(bind.address), len: bind.len as u32, memory };
        bind_returned(Sock(Ptr(bind.sock)), name, context.ret());
    }
}
