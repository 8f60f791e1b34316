//! Backend `fexit`: arguments and return value in one place, nothing to pay outside bind and listen.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::macros::fexit;
use aya_ebpf::programs::FExitContext;
use portbind_ebpf::abi::operation;

use crate::holders::Tables;
use crate::kernel::Ptr;
use crate::refusal::{call_returned, get_port_returned};
use crate::sock::Sock;

#[inline(always)]
pub(super) fn argument(context: &FExitContext, index: u32) -> Ptr {
    // Read as memory: loaded directly the verifier would type it, and refuse to calculate with it.
    Ptr(context.as_ptr() as u64).follow(index * size_of::<u64>() as u32)
}

/// `int inet_csk_get_port(struct sock *sk, unsigned short snum)`, and the same of UDP:
/// the return value follows the arguments (bpf_get_func_ret needs 5.17).
macro_rules! get_port {
    ($($name:ident: $tables:ident),*) => { $(
        #[fexit]
        #[inline(always)]
        pub(crate) fn $name(context: FExitContext) -> i32 {
            let status = context.arg(2);
            if status != 0 {
                get_port_returned(Sock(argument(&context, 0)), context.arg(1), status, Tables::$tables);
            }
            0
        }
    )* };
}
get_port!(fexit_tcp_get_port: Tcp, fexit_udp4_get_port: Udp, fexit_udp6_get_port: Udp);

/// A call whose return value is argument `$status`, on the socket that `$sock` finds at argument 0,
/// with a sockaddr at `$address` if it has one.
macro_rules! call {
    ($($name:ident: $operation:ident, $sock:expr, $address:expr, $status:literal;)*) => { $(
        #[fexit]
        #[inline(always)]
        pub(crate) fn $name(context: FExitContext) -> i32 {
            let sock = $sock(argument(&context, 0));
            let address = $address.map_or(Ptr(0), |index: u32| argument(&context, index));
            call_returned(sock, address, context.arg(usize::from($status)), operation::$operation);
            0
        }
    )* };
}
call! {
    // int inet_bind_sk(struct sock *sk, struct sockaddr *uaddr, int addr_len), from 6.6 on
    fexit_bind4_sock: BIND, Sock, Some(1), 3_u8;
    fexit_bind6_sock: BIND, Sock, Some(1), 3_u8;
    // int inet_bind(struct socket *sock, struct sockaddr *uaddr, int addr_len), before that
    fexit_bind4_socket: BIND, Sock::of_socket, Some(1), 3_u8;
    fexit_bind6_socket: BIND, Sock::of_socket, Some(1), 3_u8;
    // int __inet_listen_sk(struct sock *sk, int backlog), from 6.6 on
    fexit_listen_sock: LISTEN, Sock, None, 2_u8;
    // int inet_listen(struct socket *sock, int backlog), before that
    fexit_listen_socket: LISTEN, Sock::of_socket, None, 2_u8;
    // int inet_autobind(struct sock *sk)
    fexit_autobind: AUTOBIND, Sock, None, 1_u8;
}
