//! A kernel socket through accessors: version differences and torn reads end here.

mod common;

use portbind_ebpf::abi::{Address, Socket, holder, option};
use portbind_ebpf::layout::ABSENT;

pub(crate) use common::Common;

use crate::kernel::{Block, Ptr, at, opaque, set};

/// Address families (include/linux/socket.h).
pub(crate) const AF_UNIX: u16 = 1;
pub(crate) const AF_INET: u16 = 2;
pub(crate) const AF_INET6: u16 = 10;
pub(crate) const AF_NETLINK: u16 = 16;
pub(crate) const AF_VSOCK: u16 = 40;

/// Protocols (include/uapi/linux/in.h).
pub(crate) const IPPROTO_TCP: u16 = 6;
pub(crate) const IPPROTO_UDP: u16 = 17;
pub(crate) const IPPROTO_UDPLITE: u16 = 136;
pub(crate) const IPPROTO_MPTCP: u16 = 262;

/// TCP states (include/net/tcp_states.h).
pub(crate) const TCP_CLOSE: u8 = 7;
pub(crate) const TCP_LISTEN: u8 = 10;

/// `SOCK_DEAD`: bit 0 of `sk_flags` (enum sock_flags, include/net/sock.h).
const SOCK_DEAD: u64 = 1 << 0;
/// The third word of `::ffff:a.b.c.d`, as it lies in memory.
const MAPPED_WORD: u32 = 0xffff_u32.to_be();

/// The IPv4-mapped form in which records carry IPv4 addresses.
pub(crate) const fn mapped(v4: u32) -> Address {
    [0, 0, MAPPED_WORD, v4]
}

/// 1 for AF_INET, given that it is that or AF_INET6.
#[inline(always)]
pub(crate) fn is_v4(family: u16) -> u64 {
    nonzero(u64::from(family ^ AF_INET6))
}

/// One of two addresses, without a branch.
#[inline(always)]
pub(crate) fn choose(first: u64, one: Address, other: Address) -> Address {
    // Products, not masks: from 6.18 on the verifier takes a mask for two ways to go.
    let (first, second) = (first as u32, (first ^ 1) as u32);
    let word = |one: u32, other: u32| one.wrapping_mul(first) | other.wrapping_mul(second);
    [word(one[0], other[0]), word(one[1], other[1]), word(one[2], other[2]), word(one[3], other[3])]
}

/// A wildcard address of either family, `::ffff:0.0.0.0` included.
#[inline(always)]
pub(crate) fn is_any(address: &Address) -> bool {
    opaque(specific(address)) == 0
}

/// 1 if two addresses differ.
#[inline(always)]
pub(crate) fn differ(one: &Address, other: &Address) -> u64 {
    let bits = (one[0] ^ other[0]) | (one[1] ^ other[1]) | (one[2] ^ other[2]) | (one[3] ^ other[3]);
    nonzero(u64::from(bits))
}

/// 1 for an IPv6 address that is neither a wildcard nor IPv4-mapped.
#[inline(always)]
pub(crate) fn only_v6(address: &Address) -> u64 {
    let no_v4 = nonzero(u64::from(address[0] | address[1])) | nonzero(u64::from(address[2] ^ MAPPED_WORD));
    no_v4 & specific(address)
}

/// 1 for a specific address, 0 for a wildcard.
#[inline(always)]
pub(crate) fn specific(address: &Address) -> u64 {
    let rest = u64::from(address[0] | address[1] | address[3]);
    let third = nonzero(u64::from(address[2])) & nonzero(u64::from(address[2] ^ MAPPED_WORD));
    nonzero(rest) | third
}

/// 1 if any bit is set, else 0, without a branch: told plainly, the compiler would make a comparison of
/// it, and BPF has no comparison but the branch.
#[inline(always)]
pub(crate) fn nonzero(value: u64) -> u64 {
    opaque((value | opaque(value.wrapping_neg())) >> 63)
}

/// Zero for the families of internet sockets, without a branch.
#[inline(always)]
pub(crate) fn foreign(family: u16) -> u64 {
    nonzero(u64::from(family ^ AF_INET)) & nonzero(u64::from(family ^ AF_INET6))
}

/// `bit` if any bit of `value` is set, without a branch.
#[inline(always)]
fn flag(value: u64, bit: u32) -> u32 {
    (nonzero(value) as u32).wrapping_mul(bit)
}

/// What the refused call asked for.
pub(crate) struct Asked {
    /// When, in nanoseconds since boot.
    pub(crate) time: u64,
    pub(crate) sock: Sock,
    pub(crate) family: u16,
    pub(crate) address: Address,
    pub(crate) port: u16,
    pub(crate) protocol: u16,
    pub(crate) netns: u32,
}

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

    /// Its `struct net`.
    #[inline(always)]
    pub(crate) fn net(self) -> Ptr {
        self.0.follow(at!(sock_net))
    }

    #[inline(always)]
    pub(crate) fn netns(self) -> u32 {
        self.net().read(at!(net_inum))
    }

    /// Its protocol's table of sockets (`proto.h`), null if the protocol has none of its own.
    #[inline(always)]
    pub(crate) fn table(self) -> Ptr {
        self.0.follow(at!(sock_prot)).follow(at!(prot_hash))
    }

    #[inline(always)]
    pub(crate) fn protocol(self) -> u16 {
        self.0.read(at!(sock_protocol))
    }

    #[inline(always)]
    pub(crate) fn local(self, family: u16) -> Address {
        self.address(family, at!(sock_rcv_saddr), at!(sock_v6_rcv_saddr))
    }

    /// An AF_INET6 socket keeps a placeholder where AF_INET keeps the address (LOOPBACK4_IPV6).
    #[inline(always)]
    fn address(self, family: u16, v4: u32, v6: u32) -> Address {
        let v4 = mapped(self.0.read(v4));
        if v6 == ABSENT {
            return v4;
        }
        choose(is_v4(family), v4, self.0.read(v6))
    }

    /// The MPTCP socket above a subflow; the socket itself if it is none.
    #[inline(always)]
    fn visible(self) -> Self {
        if at!(is_mptcp) == ABSENT || at!(ulp_data) == ABSENT || at!(subflow_conn) == ABSENT {
            return self;
        }
        let above = self.0.follow(at!(ulp_data)).follow(at!(subflow_conn)).0;
        let is_tcp = 1 ^ nonzero(u64::from(self.protocol() ^ IPPROTO_TCP));
        let is_subflow = is_tcp & nonzero(u64::from(self.0.bits(at!(is_mptcp), 1))) & nonzero(above);
        Self(Ptr(above.wrapping_mul(is_subflow) | self.0.0.wrapping_mul(is_subflow ^ 1)))
    }

    /// Copies what a record says of any socket. `address` is the local one: a refused socket has lost its own.
    ///
    /// Straight-line, because the verifier follows every branch of every step of a search. Of a TIME_WAIT
    /// or request socket, what lies past `struct sock_common` is other data: user space leaves it aside.
    #[inline(always)]
    pub(crate) fn describe(self, to: &mut Socket, common: &Common<'_>, address: &Address, port: u16) {
        to.id = self.0.0;
        to.cookie = self.0.read(at!(sock_cookie));
        to.address = *address;
        to.peer = common.peer();
        to.netns = common.netns();
        to.interface = common.interface();
        to.options = common.options() | flag(self.0.read(at!(sock_reuseport_cb)), option::REUSE_PORT_GROUP);
        to.family = common.family();
        to.port = port;
        to.peer_port = common.peer_port();
        to.state = common.state();
        to.time_wait_state = self.0.read(at!(time_wait_substate));
        to.protocol = self.protocol();
        to.socket_type = self.0.read(at!(sock_type));
        to.uid = self.0.read(at!(sock_uid));
        to.inode = inode_of_socket(self.visible().0.follow(at!(sock_socket)));
        to.reserved = 0;
    }

    /// The same of one that has its address still.
    #[inline(always)]
    pub(crate) fn describe_bound(self, to: &mut Socket, port: u16) {
        let mut room = Block::room();
        let common = Common::of(self, &mut room);
        self.describe(to, &common, &common.local(), port);
    }

    /// Copies what a record says of a socket that is none of the internet. What only those have is zero.
    #[inline(always)]
    pub(crate) fn describe_named(self, to: &mut Socket, family: u16) {
        to.id = self.0.0;
        to.cookie = self.0.read(at!(sock_cookie));
        to.inode = inode_of_socket(self.0.follow(at!(sock_socket)));
        to.netns = self.netns();
        to.uid = self.0.read(at!(sock_uid));
        to.family = family;
        to.protocol = self.protocol();
        to.socket_type = self.0.read(at!(sock_type));
        to.state = self.state();
        clear(&mut to.address);
        clear(&mut to.peer);
        set(&mut to.interface, 0);
        set(&mut to.options, 0);
        set(&mut to.port, 0);
        set(&mut to.peer_port, 0);
        set(&mut to.time_wait_state, 0);
        set(&mut to.reserved, 0);
    }

    /// Bits of `abi::holder`: who can have a full socket open.
    #[inline(always)]
    pub(crate) fn ownership(self) -> u32 {
        let visible = self.visible();
        let socket = visible.0.follow(at!(sock_socket));
        let no_socket = 1 ^ nonzero(socket.0);
        let no_file = 1 ^ nonzero(socket.read(at!(socket_file)));
        let dead = nonzero(visible.0.read::<u64>(at!(sock_flags)) & SOCK_DEAD);
        flag((1 ^ no_socket) & no_file, holder::KERNEL)
            | flag(no_socket & dead, holder::ORPHAN)
            | flag(no_socket & (1 ^ dead), holder::NOT_ACCEPTED)
    }
}

/// Writes zeros word by word: written as one, they would become a call of memset.
#[inline(always)]
fn clear([first, second, third, fourth]: &mut Address) {
    set(first, 0);
    set(second, 0);
    set(third, 0);
    set(fourth, 0);
}

/// Inode number of a `struct socket` (0 of a null one), which lies in one object with its inode (`struct socket_alloc`).
#[inline(always)]
fn inode_of_socket(socket: Ptr) -> u64 {
    socket.plus(at!(socket_alloc_inode)).read(at!(inode_ino))
}
