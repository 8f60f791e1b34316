//! What happens to sockets: TCP sockets by their state changes, for every backend; other sockets by their last close.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::macros::{fentry, kprobe, raw_tracepoint};
use aya_ebpf::programs::{FEntryContext, ProbeContext, RawTracePointContext};

use crate::history::{released, state_changed};
use crate::kernel::memory::Ptr;
use crate::sock::handle::Sock;
use crate::sock::numbers::{IPPROTO_TCP, TCP_CLOSE};

/// `TP_PROTO(const struct sock *sk, const int oldstate, const int newstate)` of raw tracepoint `inet_sock_set_state`
/// (include/trace/events/sock.h). State changes of DCCP, SCTP and MPTCP sockets arrive here, too.
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
#[inline(always)]
pub(crate) fn tracepoint_set_state(context: RawTracePointContext) -> i32 {
    let sock = Sock(Ptr(context.arg(0)));
    if sock.is_internet() && sock.protocol() == IPPROTO_TCP {
        state_changed(sock, context.arg::<u64>(1) as u8, context.arg::<u64>(2) as u8);
    }
    0
}

/// `int inet_release(struct socket *sock)` (net/ipv4/af_inet.c): called on the last close, for IPv4 and IPv6.
#[fentry]
#[inline(always)]
pub(crate) fn fentry_release(context: FEntryContext) -> i32 {
    release(Ptr(context.as_ptr() as u64).follow(0));
    0
}

/// `inet_release`, for the kprobe backend.
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
    // A TCP socket that neither listens nor is connected ends without a state change (__tcp_close, net/ipv4/tcp.c).
    if sock.protocol() != IPPROTO_TCP || sock.state() == TCP_CLOSE {
        released(sock);
    }
}
