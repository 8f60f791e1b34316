//! Backend `fexit`: arguments and return value in one place, nothing to pay outside bind and listen.

use aya_ebpf::macros::fexit;
use aya_ebpf::programs::FExitContext;
use portbind_ebpf::abi::operation;

use crate::kernel::Ptr;
use crate::refusal::{call_returned, get_port_returned};
use crate::sock::Sock;

fn argument(context: &FExitContext, index: usize) -> Ptr {
    Ptr(context.arg::<u64>(index))
}

/// `int inet_csk_get_port(struct sock *sk, unsigned short snum)`, and the same of UDP and ping:
/// the return value follows the arguments (bpf_get_func_ret needs 5.17).
macro_rules! get_port {
    ($($name:ident),*) => { $(
        #[fexit]
        pub(crate) fn $name(context: FExitContext) -> i32 {
            get_port_returned(Sock(argument(&context, 0)), context.arg(1), context.arg(2));
            0
        }
    )* };
}
get_port!(fexit_tcp_get_port, fexit_udp4_get_port, fexit_udp6_get_port, fexit_ping_get_port);

/// `int inet_bind_sk(struct sock *sk, struct sockaddr *uaddr, int addr_len)` (6.6 and later).
macro_rules! bind_of_sock {
    ($($name:ident),*) => { $(
        #[fexit]
        pub(crate) fn $name(context: FExitContext) -> i32 {
            call_returned(Sock(argument(&context, 0)), argument(&context, 1), context.arg(3), operation::BIND);
            0
        }
    )* };
}
bind_of_sock!(fexit_bind4_sock, fexit_bind6_sock);

/// `int inet_bind(struct socket *sock, struct sockaddr *uaddr, int addr_len)` (before that).
macro_rules! bind_of_socket {
    ($($name:ident),*) => { $(
        #[fexit]
        pub(crate) fn $name(context: FExitContext) -> i32 {
            let sock = Sock::of_socket(argument(&context, 0));
            call_returned(sock, argument(&context, 1), context.arg(3), operation::BIND);
            0
        }
    )* };
}
bind_of_socket!(fexit_bind4_socket, fexit_bind6_socket);

/// `int __inet_listen_sk(struct sock *sk, int backlog)` (6.6 and later).
#[fexit]
pub(crate) fn fexit_listen_sock(context: FExitContext) -> i32 {
    call_returned(Sock(argument(&context, 0)), Ptr(0), context.arg(2), operation::LISTEN);
    0
}

/// `int inet_listen(struct socket *sock, int backlog)` (before that).
#[fexit]
pub(crate) fn fexit_listen_socket(context: FExitContext) -> i32 {
    let sock = Sock::of_socket(argument(&context, 0));
    call_returned(sock, Ptr(0), context.arg(2), operation::LISTEN);
    0
}

/// `int inet_autobind(struct sock *sk)`
#[fexit]
pub(crate) fn fexit_autobind(context: FExitContext) -> i32 {
    call_returned(Sock(argument(&context, 0)), Ptr(0), context.arg(1), operation::AUTOBIND);
    0
}
