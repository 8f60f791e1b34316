//! A kernel socket, addressed by pointer and read field by field.

use portbind_abi::layout::ABSENT;
use portbind_abi::{Address, Socket, holder};

use super::bits::{flag, nonzero};
use super::numbers::{IPPROTO_TCP, foreign};
use crate::kernel::globals::at;
use crate::kernel::memory::Ptr;
use crate::kernel::volatile::{opaque, set};

/// `SOCK_DEAD`: bit 0 of `sk_flags` (enum sock_flags, include/net/sock.h).
const SOCK_DEAD: u64 = 1 << 0;

/// A `struct sock`, or the part that TIME_WAIT sockets share with it (`struct sock_common`).
#[derive(Clone, Copy)]
pub(crate) struct Sock(pub(crate) Ptr);

impl Sock {
    #[inline(always)]
    pub(crate) fn of_socket(socket: Ptr) -> Self {
        Self(socket.follow(at!(socket_sk)))
    }

    #[inline(always)]
    pub(crate) fn family(self) -> u16 {
        self.0.read(at!(sock_family))
    }

    #[inline(always)]
    pub(crate) fn is_internet(self) -> bool {
        foreign(self.family()) == 0
    }

    #[inline(always)]
    pub(crate) fn state(self) -> u8 {
        self.0.read(at!(sock_state))
    }

    #[inline(always)]
    pub(crate) fn port(self) -> u16 {
        self.0.read(at!(sock_num))
    }

    #[inline(always)]
    pub(crate) fn interface(self) -> u32 {
        self.0.read(at!(sock_bound_dev_if))
    }

    /// The user id of the socket, in the initial user namespace.
    #[inline(always)]
    pub(crate) fn owner(self) -> u32 {
        self.0.read(at!(sock_uid))
    }

    /// The socket's `struct net`.
    #[inline(always)]
    pub(crate) fn net(self) -> Ptr {
        self.0.follow(at!(sock_net))
    }

    #[inline(always)]
    pub(crate) fn netns(self) -> u32 {
        self.net().read(at!(net_inum))
    }

    /// The socket table of the socket's protocol (`proto.h`), null if the protocol has none of its own.
    #[inline(always)]
    pub(crate) fn table(self) -> Ptr {
        self.0.follow(at!(sock_prot)).follow(at!(prot_hash))
    }

    #[inline(always)]
    pub(crate) fn protocol(self) -> u16 {
        self.0.read(at!(sock_protocol))
    }

    /// The MPTCP socket above a subflow; for any other socket, the socket itself.
    #[inline(always)]
    pub(crate) fn visible(self, protocol: u16) -> Self {
        if at!(is_mptcp) == ABSENT || at!(ulp_data) == ABSENT || at!(subflow_conn) == ABSENT {
            return self;
        }
        let is_tcp = 1 ^ nonzero(u64::from(protocol ^ IPPROTO_TCP));
        let is_subflow = is_tcp & nonzero(u64::from(self.0.bits(at!(is_mptcp), 1)));
        // Without bpf_loop (before 5.17), another branch would double the verifier's work for each step.
        if cfg!(not(feature = "bounded")) && opaque(is_subflow) == 0 {
            return self;
        }
        let above = self.0.follow(at!(ulp_data)).follow(at!(subflow_conn)).0;
        let is_subflow = is_subflow & nonzero(above);
        Self(Ptr(above.wrapping_mul(is_subflow) | self.0.0.wrapping_mul(is_subflow ^ 1)))
    }

    /// Describes a portless socket. Fields that only internet sockets have are zero.
    #[inline(always)]
    pub(crate) fn describe_portless(self, to: &mut Socket, family: u16) {
        clear(&mut to.address);
        to.netns = self.netns();
        to.uid = self.owner();
        to.family = family;
        to.protocol = self.protocol();
        to.socket_type = self.0.read(at!(sock_type));
        to.state = self.state();
        set(&mut to.interface, 0);
        set(&mut to.port, 0);
        set(&mut to.options, 0);
        set(&mut to.own_port, 0);
    }

    /// Bits of `portbind_abi::holder` for a full socket; `open` is its `struct socket`.
    #[inline(always)]
    pub(crate) fn ownership(self, open: Ptr) -> u8 {
        let no_socket = 1 ^ nonzero(open.0);
        let no_file = 1 ^ nonzero(open.read(at!(socket_file)));
        let dead = nonzero(self.0.read::<u64>(at!(sock_flags)) & SOCK_DEAD);
        flag((1 ^ no_socket) & no_file, holder::KERNEL)
            | flag(no_socket & dead, holder::ORPHAN)
            | flag(no_socket & (1 ^ dead), holder::NOT_ACCEPTED)
    }
}

/// Writes zeros word by word: a single write would become a call of memset.
#[inline(always)]
fn clear([first, second, third, fourth]: &mut Address) {
    set(first, 0);
    set(second, 0);
    set(third, 0);
    set(fourth, 0);
}

/// Inode number of a `struct socket` (0 for a null pointer), which is part of the same object as its inode (`struct
/// socket_alloc`).
#[inline(always)]
pub(crate) fn inode_of_socket(socket: Ptr) -> u64 {
    socket.plus(at!(socket_alloc_inode)).read(at!(inode_ino))
}
