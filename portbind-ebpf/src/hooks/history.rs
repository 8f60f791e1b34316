//! What becomes of sockets: TCP by its states, for every backend; others by their last close.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::macros::{fentry, kprobe, raw_tracepoint};
use aya_ebpf::programs::{FEntryContext, ProbeContext, RawTracePointContext};

use crate::history::{released, state_changed};
use crate::kernel::memory::Ptr;
use crate::sock::handle::Sock;
use crate::sock::numbers::{IPPROTO_TCP, TCP_CLOSE};

/// `TP_PROTO(const struct sock *sk, const int oldstate, const int newstate)` of raw tracepoint
/// `inet_sock_set_state` (include/trace/events/sock.h). DCCP, SCTP and MPTCP pass here, too.
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
#[inline(always)]
pub(crate) fn tracepoint_set_state(context: RawTracePointContext) -> i32 {
    let sock = Sock(Ptr(context.arg(0)));
    if sock.is_internet() && sock.protocol() == IPPROTO_TCP {
        state_changed(sock, context.arg::<u64>(1) as u8, context.arg::<u64>(2) as u8);
    }
    0
}

/// `int inet_release(struct socket *sock)` (net/ipv4/af_inet.c): both families, on the last close.
#[fentry]
#[inline(always)]
pub(crate) fn fentry_release(context: FEntryContext) -> i32 {
    release(Ptr(context.as_ptr() as u64).follow(0));
    0
}

/// The same.
#[kprobe]
#[inline(always)]
pub(crate) fn kprobe_release(context: ProbeContext) -> u32 {
    release(Ptr(context.arg(0).unwrap_or(0)));
    0
}

#[inline(always)]
fn release(socket: Ptr) {
    let sock = Sock::of_socket(socket);
    if sock.0.is_null() || !sock.is_internet() {
        return;
    }
    // A TCP socket that neither listens nor is connected changes no state at its end (__tcp_close).
    if sock.protocol() != IPPROTO_TCP || sock.state() == TCP_CLOSE {
        released(sock);
    }
}
