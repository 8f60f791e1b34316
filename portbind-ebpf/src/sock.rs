//! A kernel socket through accessors: version differences and torn reads end here.

use portbind_ebpf::abi::{Address, Socket, holder, option};
use portbind_ebpf::layout::ABSENT;

use crate::kernel::{Ptr, at};

/// Address families (include/linux/socket.h).
pub(crate) const AF_INET: u16 = 2;
pub(crate) const AF_INET6: u16 = 10;

/// Protocols (include/uapi/linux/in.h).
pub(crate) const IPPROTO_TCP: u16 = 6;
pub(crate) const IPPROTO_UDP: u16 = 17;
pub(crate) const IPPROTO_UDPLITE: u16 = 136;
pub(crate) const IPPROTO_MPTCP: u16 = 262;

/// TCP states (include/net/tcp_states.h).
pub(crate) const TCP_TIME_WAIT: u8 = 6;
pub(crate) const TCP_LISTEN: u8 = 10;
pub(crate) const TCP_NEW_SYN_RECV: u8 = 12;

/// `SOCK_DEAD`: bit 0 of `sk_flags` (enum sock_flags, include/net/sock.h).
const SOCK_DEAD: u64 = 1 << 0;
/// `SK_FORCE_REUSE` (include/net/sock.h).
const SK_FORCE_REUSE: u8 = 2;
/// The third word of `::ffff:a.b.c.d`, as it lies in memory.
const MAPPED_WORD: u32 = 0xffff_u32.to_be();

/// The IPv4-mapped form in which records carry IPv4 addresses.
pub(crate) const fn mapped(v4: u32) -> Address {
    [0, 0, MAPPED_WORD, v4]
}

/// `::ffff:0:0/96`, whatever the family.
pub(crate) const fn is_mapped(address: Address) -> bool {
    address[0] == 0 && address[1] == 0 && address[2] == MAPPED_WORD
}

/// A wildcard address of either family, `::ffff:0.0.0.0` included.
pub(crate) const fn is_any(address: Address) -> bool {
    address[0] == 0 && address[1] == 0 && (address[2] == 0 || address[2] == MAPPED_WORD) && address[3] == 0
}

/// What the refused call asked for.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) sock: Sock,
    pub(crate) address: Address,
    pub(crate) port: u16,
    pub(crate) family: u16,
    pub(crate) protocol: u16,
    pub(crate) netns: u32,
}

/// A `struct sock`, or the part that TIME_WAIT sockets share with it (`struct sock_common`).
#[derive(Clone, Copy)]
pub(crate) struct Sock(pub(crate) Ptr);

impl Sock {
    pub(crate) fn of_socket(socket: Ptr) -> Self {
        Self(socket.follow(at!(socket_sk)))
    }

    pub(crate) fn family(self) -> u16 {
        self.0.read(at!(sock_family))
    }

    pub(crate) fn is_internet(self) -> bool {
        matches!(self.family(), AF_INET | AF_INET6)
    }

    pub(crate) fn state(self) -> u8 {
        self.0.read(at!(sock_state))
    }

    pub(crate) fn port(self) -> u16 {
        self.0.read(at!(sock_num))
    }

    pub(crate) fn interface(self) -> u32 {
        self.0.read(at!(sock_bound_dev_if))
    }

    /// Its `struct net`.
    pub(crate) fn net(self) -> Ptr {
        self.0.follow(at!(sock_net))
    }

    pub(crate) fn netns(self) -> u32 {
        self.net().read(at!(net_inum))
    }

    /// Its protocol's table of sockets (`proto.h`), null if the protocol has none of its own.
    pub(crate) fn table(self) -> Ptr {
        self.0.follow(at!(sock_prot)).follow(at!(prot_hash))
    }

    pub(crate) fn protocol(self) -> u16 {
        self.0.read(at!(sock_protocol))
    }

    #[inline(always)]
    pub(crate) fn local(self, family: u16) -> Address {
        self.address(family, at!(sock_rcv_saddr), at!(sock_v6_rcv_saddr))
    }

    #[inline(always)]
    fn peer(self, family: u16) -> Address {
        self.address(family, at!(sock_daddr), at!(sock_v6_daddr))
    }

    /// An AF_INET6 socket keeps a placeholder where AF_INET keeps the address (LOOPBACK4_IPV6).
    #[inline(always)]
    fn address(self, family: u16, v4: u32, v6: u32) -> Address {
        if family == AF_INET6 && v6 != ABSENT { self.0.read(v6) } else { mapped(self.0.read(v4)) }
    }

    #[inline(always)]
    fn options(self, is_full: bool) -> u32 {
        let reuse = self.0.bits(at!(sock_reuse), 4);
        let mut options = 0;
        if reuse != 0 {
            options |= option::REUSE_ADDRESS;
        }
        if reuse == SK_FORCE_REUSE {
            options |= option::FORCE_REUSE;
        }
        if self.0.bits(at!(sock_reuseport), 1) != 0 {
            options |= option::REUSE_PORT;
        }
        if self.0.bits(at!(sock_ipv6only), 1) != 0 {
            options |= option::V6_ONLY;
        }
        if is_full && self.0.read::<u64>(at!(sock_reuseport_cb)) != 0 {
            options |= option::REUSE_PORT_GROUP;
        }
        options
    }

    /// The MPTCP socket above a subflow; the socket itself if it is none.
    #[inline(always)]
    fn visible(self, protocol: u16) -> Self {
        if at!(is_mptcp) == ABSENT || at!(ulp_data) == ABSENT || at!(subflow_conn) == ABSENT {
            return self;
        }
        if protocol != IPPROTO_TCP || self.0.bits(at!(is_mptcp), 1) == 0 {
            return self;
        }
        let above = self.0.follow(at!(ulp_data)).follow(at!(subflow_conn));
        if above.is_null() { self } else { Self(above) }
    }

    /// Copies what a record says of any socket. `address` is the local one: a refused socket has lost its own.
    #[inline(never)]
    pub(crate) fn describe(self, to: &mut Socket, family: u16, address: Address, port: u16) {
        let state = self.state();
        let is_full = state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV;
        to.id = self.0.0;
        to.cookie = self.0.read(at!(sock_cookie));
        to.address = address;
        to.peer = self.peer(family);
        to.netns = self.netns();
        to.interface = self.interface();
        to.options = self.options(is_full);
        to.family = family;
        to.port = port;
        to.peer_port = u16::from_be(self.0.read(at!(sock_dport)));
        to.state = state;
        to.reserved = 0;
        to.time_wait_state = 0;
        to.inode = 0;
        to.uid = 0;
        to.socket_type = 0;
        to.protocol = IPPROTO_TCP;
        if is_full {
            to.protocol = self.protocol();
            to.socket_type = self.0.read(at!(sock_type));
            to.uid = self.0.read(at!(sock_uid));
            to.inode = self.visible(to.protocol).inode();
        } else if state == TCP_TIME_WAIT {
            to.time_wait_state = self.0.read(at!(time_wait_substate));
        }
    }

    fn inode(self) -> u64 {
        let socket = self.0.follow(at!(sock_socket));
        if socket.is_null() {
            return 0;
        }
        inode_of_socket(socket)
    }

    /// Bits of `abi::holder`: who can have a full socket open.
    #[inline(always)]
    pub(crate) fn ownership(self, protocol: u16) -> u32 {
        let visible = self.visible(protocol);
        let socket = visible.0.follow(at!(sock_socket));
        if !socket.is_null() {
            return if socket.follow(at!(socket_file)).is_null() { holder::KERNEL } else { 0 };
        }
        if visible.0.read::<u64>(at!(sock_flags)) & SOCK_DEAD != 0 { holder::ORPHAN } else { holder::NOT_ACCEPTED }
    }
}

/// Inode number of a `struct socket`, which lies in one object with its inode (`struct socket_alloc`).
fn inode_of_socket(socket: Ptr) -> u64 {
    socket.plus(at!(socket_alloc_inode)).read(at!(inode_ino))
}
