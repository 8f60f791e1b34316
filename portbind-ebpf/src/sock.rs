//! A kernel socket through accessors: version differences and torn reads end here.

mod common;

use portbind_ebpf::abi::{Address, Endpoint, Socket, holder};
use portbind_ebpf::layout::ABSENT;

pub(crate) use common::{Common, SOCK_WORDS, Whole};

use crate::kernel::{Ptr, at, opaque, room, set};

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
fn flag(value: u64, bit: u8) -> u8 {
    (nonzero(value) as u8).wrapping_mul(bit)
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

impl Asked {
    /// All of it but the socket, as functions of numbers take it; see [`Self::of_values`].
    #[inline(always)]
    pub(crate) fn values(&self) -> [u64; 5] {
        let [a, b, c, d] = self.address.map(u64::from);
        let place = u64::from(self.netns) << 32 | u64::from(self.port) << 16 | u64::from(self.protocol);
        [b << 32 | a, d << 32 | c, place, u64::from(self.family), self.time]
    }

    /// What was asked for, by [`Self::values`].
    #[inline(always)]
    pub(crate) fn of_values([first, second, place, family, time]: [u64; 5]) -> Self {
        Self {
            time,
            sock: Sock(Ptr(0)),
            family: family as u16,
            address: [first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32],
            port: (place >> 16) as u16,
            protocol: place as u16,
            netns: (place >> 32) as u32,
        }
    }
}

/// What a record says of where a socket is, besides its common part.
pub(crate) struct Place {
    /// The local one: a refused socket has lost its own.
    pub(crate) address: Address,
    pub(crate) port: u16,
    pub(crate) netns: u32,
    pub(crate) protocol: u16,
    pub(crate) inode: u64,
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

    /// Its owner, in the initial user namespace.
    #[inline(always)]
    pub(crate) fn owner(self) -> u32 {
        self.0.read(at!(sock_uid))
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

    /// The MPTCP socket above a subflow; the socket itself if it is none.
    #[inline(always)]
    pub(crate) fn visible(self, protocol: u16) -> Self {
        if at!(is_mptcp) == ABSENT || at!(ulp_data) == ABSENT || at!(subflow_conn) == ABSENT {
            return self;
        }
        let is_tcp = 1 ^ nonzero(u64::from(protocol ^ IPPROTO_TCP));
        let is_subflow = is_tcp & nonzero(u64::from(self.0.bits(at!(is_mptcp), 1)));
        // A branch more is a step twice as long to verify, where loops are no functions.
        if cfg!(not(feature = "bounded")) && opaque(is_subflow) == 0 {
            return self;
        }
        let above = self.0.follow(at!(ulp_data)).follow(at!(subflow_conn)).0;
        let is_subflow = is_subflow & nonzero(above);
        Self(Ptr(above.wrapping_mul(is_subflow) | self.0.0.wrapping_mul(is_subflow ^ 1)))
    }

    /// Copies what the life of a port needs of a socket that has its address still.
    #[inline(always)]
    pub(crate) fn describe_endpoint(self, to: &mut Endpoint, port: u16) {
        let mut room = room();
        let common = Common::of(self, &mut room);
        let at = self.place(&common, port, common.netns());
        common.describe_endpoint(to, self, &at);
    }

    /// What more has to be looked at than the common part.
    #[inline(always)]
    pub(crate) fn place(self, common: &Common<'_>, port: u16, netns: u32) -> Place {
        let protocol = self.protocol();
        let inode = inode_of_socket(self.visible(protocol).0.follow(at!(sock_socket)));
        Place { address: common.local(), port, netns, protocol, inode }
    }

    /// Copies what a record says of a socket that is none of the internet. What only those have is zero.
    #[inline(always)]
    pub(crate) fn describe_named(self, to: &mut Socket, family: u16) {
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

    /// Bits of `abi::holder`: who can have a full socket open, as the `struct socket` `open`.
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
pub(crate) fn inode_of_socket(socket: Ptr) -> u64 {
    socket.plus(at!(socket_alloc_inode)).read(at!(inode_ino))
}
