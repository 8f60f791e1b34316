//! Backend `kprobe`: a return probe sees no arguments, so they are kept from the entry on.

use aya_ebpf::macros::{kprobe, kretprobe};
use aya_ebpf::programs::{ProbeContext, RetProbeContext};
use portbind_ebpf::abi::{counter, operation};

use crate::holders::Tables;
use crate::kernel::{ByTask, Ptr, count, current_ids};
use crate::maps::{CALLS, Call, GET_PORTS, GetPort};
use crate::refusal::{call_returned, get_port_returned};
use crate::sock::Sock;

#[inline(always)]
fn argument(context: &ProbeContext, index: usize) -> u64 {
    context.arg(index).unwrap_or(0)
}

/// `int inet_csk_get_port(struct sock *sk, unsigned short snum)`, and the same of UDP.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_get_port(context: ProbeContext) -> u32 {
    let entry = GetPort { sock: argument(&context, 0), port: argument(&context, 1) };
    if GET_PORTS.insert(current_ids(), entry, 0).is_err() {
        count(counter::LOST_ENTRIES);
    }
    0
}

/// Their return.
#[kretprobe]
#[inline(always)]
pub(crate) fn kretprobe_get_port(context: RetProbeContext) -> u32 {
    let task = current_ids();
    if let Some(entry) = GET_PORTS.of_task(task) {
        let _ = GET_PORTS.remove(task);
        get_port_returned(Sock(Ptr(entry.sock)), entry.port as u16, context.ret(), Tables::Either);
    }
    0
}

#[inline(always)]
fn enter(sock: Sock, address: u64) {
    let call = Call { sock: sock.0.0, address };
    if CALLS.insert(current_ids(), call, 0).is_err() {
        count(counter::LOST_ENTRIES);
    }
}

/// A call on a `struct sock *` with a sockaddr: `inet_bind_sk`, `inet6_bind_sk`.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_bind_sock(context: ProbeContext) -> u32 {
    enter(Sock(Ptr(argument(&context, 0))), argument(&context, 1));
    0
}

/// A call on a `struct socket *` with a sockaddr: `inet_bind`, `inet6_bind`.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_bind_socket(context: ProbeContext) -> u32 {
    enter(Sock::of_socket(Ptr(argument(&context, 0))), argument(&context, 1));
    0
}

/// A call on a `struct sock *` without one: `__inet_listen_sk`, `inet_autobind`.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_call_sock(context: ProbeContext) -> u32 {
    enter(Sock(Ptr(argument(&context, 0))), 0);
    0
}

/// A call on a `struct socket *` without one: `inet_listen`.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_call_socket(context: ProbeContext) -> u32 {
    enter(Sock::of_socket(Ptr(argument(&context, 0))), 0);
    0
}

#[inline(always)]
fn leave(context: &RetProbeContext, operation: u32) {
    let task = current_ids();
    if let Some(call) = CALLS.of_task(task) {
        let _ = CALLS.remove(task);
        call_returned(Sock(Ptr(call.sock)), Ptr(call.address), context.ret(), operation);
    }
}

/// Return of a bind.
#[kretprobe]
#[inline(always)]
pub(crate) fn kretprobe_bind(context: RetProbeContext) -> u32 {
    leave(&context, operation::BIND);
    0
}

/// Return of a listen.
#[kretprobe]
#[inline(always)]
pub(crate) fn kretprobe_listen(context: RetProbeContext) -> u32 {
    leave(&context, operation::LISTEN);
    0
}

/// Return of an autobind.
#[kretprobe]
#[inline(always)]
pub(crate) fn kretprobe_autobind(context: RetProbeContext) -> u32 {
    leave(&context, operation::AUTOBIND);
    0
}
