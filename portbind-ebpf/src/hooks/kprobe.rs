//! Backend `kprobe`: a return probe sees no arguments, so the entry probe saves them.
//!
//! The kernel handles only a few probed calls at a time (`maxactive`: at least ten; in older kernels without
//! preemption, one per CPU; register_kretprobe in kernel/kprobes.c) and skips the returns of further ones. A bind can
//! wait for its socket's lock, and then more calls are in flight. get_port never waits, so refusals of ports are
//! reported at its return.

use aya_ebpf::macros::{kprobe, kretprobe};
use aya_ebpf::programs::{ProbeContext, RetProbeContext};
use portbind_abi::{counter, operation};

use crate::kernel::counters::count;
use crate::kernel::memory::Ptr;
use crate::kernel::task::current_ids;
use crate::kernel::values::InPlace;
use crate::kernel::volatile::{get, set};
use crate::maps::{CALLS, Call};
use crate::refusal::{Search, call_returned, port_refused};
use crate::sock::handle::Sock;

#[inline(always)]
fn argument(context: &ProbeContext, index: usize) -> u64 {
    context.arg(index).unwrap_or(0)
}

/// Return of `int inet_csk_get_port(struct sock *sk, unsigned short snum)` and of its UDP counterparts: 0 for success;
/// otherwise the port is refused (the value is 1 before 5.17).
#[kretprobe]
#[inline(always)]
pub(crate) fn kretprobe_get_port(context: RetProbeContext) -> u32 {
    if context.ret::<i32>() != 0
        && let Some(call) = CALLS.value(&current_ids())
        && get(&call.sock) != 0
        && port_refused(Sock(Ptr(get(&call.sock))), Ptr(get(&call.address)), get(&call.operation))
    {
        set(&mut call.sent, 1);
    }
    0
}

#[inline(always)]
fn enter(sock: Sock, address: u64, operation: u32) {
    let task = current_ids();
    if let Some(call) = CALLS.value(&task) {
        set(&mut call.sock, sock.0.0);
        set(&mut call.address, address);
        set(&mut call.operation, operation);
        set(&mut call.sent, 0);
    } else if CALLS.insert(task, Call { sock: sock.0.0, address, operation, sent: 0 }, 0).is_err() {
        count(counter::LOST_ENTRIES);
    }
}

/// A call on a `struct sock *` with a sockaddr: `inet_bind_sk`, `inet6_bind_sk`.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_bind_sock(context: ProbeContext) -> u32 {
    enter(Sock(Ptr(argument(&context, 0))), argument(&context, 1), operation::BIND);
    0
}

/// A call on a `struct socket *` with a sockaddr: `inet_bind`, `inet6_bind`.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_bind_socket(context: ProbeContext) -> u32 {
    enter(Sock::of_socket(Ptr(argument(&context, 0))), argument(&context, 1), operation::BIND);
    0
}

/// `inet_autobind`.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_autobind(context: ProbeContext) -> u32 {
    enter(Sock(Ptr(argument(&context, 0))), 0, operation::AUTOBIND);
    0
}

/// `__inet_listen_sk`.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_listen_sock(context: ProbeContext) -> u32 {
    enter(Sock(Ptr(argument(&context, 0))), 0, operation::LISTEN);
    0
}

/// `inet_listen`.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_listen_socket(context: ProbeContext) -> u32 {
    enter(Sock::of_socket(Ptr(argument(&context, 0))), 0, operation::LISTEN);
    0
}

/// Return of a bind, listen or autobind function.
#[kretprobe]
#[inline(always)]
pub(crate) fn kretprobe_call(context: RetProbeContext) -> u32 {
    if let Some(call) = CALLS.value(&current_ids())
        && get(&call.sock) != 0
    {
        let sock = Sock(Ptr(get(&call.sock)));
        set(&mut call.sock, 0);
        if get(&call.sent) == 0 {
            call_returned(
                sock,
                Ptr(get(&call.address)),
                || context.ret(),
                get(&call.operation),
                Search::FOREIGN,
            );
        }
    }
    0
}
