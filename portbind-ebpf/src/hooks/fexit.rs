//! Backend `fexit`: arguments and return value are available together, and only calls of the traced functions cost
//! time.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::macros::fexit;
use aya_ebpf::programs::FExitContext;
use portbind_abi::operation;

use crate::holders::Tables;
use crate::kernel::context::argument as word;
use crate::kernel::memory::Ptr;
use crate::refusal::{Search, call_returned};
use crate::scratch::shape::Place;
use crate::sock::handle::Sock;

#[inline(always)]
pub(super) fn argument(context: &FExitContext, index: u32) -> Ptr {
    // Read as memory: the verifier would give a directly loaded argument a type and reject arithmetic on it.
    Ptr(context.as_ptr() as u64).follow(index * size_of::<u64>() as u32)
}

/// A call whose return value is argument `$status`, on the socket that `$sock` finds at argument 0, with a sockaddr at
/// `$address` if it has one. Calls can be interrupted by each other, but not by one with the same `$place`.
macro_rules! call {
    ($($name:ident: $operation:ident, $tables:ident, $place:ident, $sock:expr, $address:expr,
        $status:literal;)*) => { $(
        #[fexit]
        #[inline(always)]
        pub(crate) fn $name(context: FExitContext) -> i32 {
            let sock = $sock(argument(&context, 0));
            let address = $address.map_or(Ptr(0), |index: u32| argument(&context, index));
            let status = || word(&context, usize::from($status)) as i32;
            let search = Search { tables: Tables::$tables, place: Place::$place };
            call_returned(sock, address, status, operation::$operation, search);
            0
        }
    )* };
}
call! {
    // int inet_bind_sk(struct sock *sk, struct sockaddr *uaddr, int addr_len), from 6.6
    fexit_bind4_sock: BIND, Either, First, Sock, Some(1), 3_u8;
    fexit_bind6_sock: BIND, Either, Second, Sock, Some(1), 3_u8;
    // int inet_bind(struct socket *sock, struct sockaddr *uaddr, int addr_len), before 6.6
    fexit_bind4_socket: BIND, Either, First, Sock::of_socket, Some(1), 3_u8;
    fexit_bind6_socket: BIND, Either, Second, Sock::of_socket, Some(1), 3_u8;
    // int __inet_listen_sk(struct sock *sk, int backlog), from 6.6
    fexit_listen_sock: LISTEN, Tcp, Third, Sock, None, 2_u8;
    // int inet_listen(struct socket *sock, int backlog), before 6.6
    fexit_listen_socket: LISTEN, Tcp, Third, Sock::of_socket, None, 2_u8;
    // int inet_autobind(struct sock *sk)
    fexit_autobind: AUTOBIND, None, Fourth, Sock, None, 1_u8;
}
