//! A snapshot of a socket: the part that all kinds share (`struct sock_common`, include/net/sock.h), or all fields that
//! records use, read at once.

use portbind_abi::layout::{ABSENT, COMMON_LEN, SOCK_LEN};
use portbind_abi::{Address, Holder, Socket, option};

use super::address::{choose, mapped};
use super::asked::Asked;
use super::bits::flag;
use super::handle::Sock;
use super::numbers::is_v4;
use crate::kernel::clock::jiffies;
use crate::kernel::globals::at;
use crate::kernel::memory::{Block, Plain, Ptr, Room};

/// Words of the common part.
pub(crate) const COMMON_WORDS: usize = COMMON_LEN as usize / size_of::<u64>();
/// Words of a socket that are read at once.
pub(crate) const SOCK_WORDS: usize = SOCK_LEN as usize / size_of::<u64>();
/// Words of the smallest kind, a TIME_WAIT socket: `struct inet_timewait_sock`, with its size rounded up
/// (include/net/inet_timewait_sock.h).
const SMALL_WORDS: usize = 32;

/// `SK_FORCE_REUSE` (include/net/sock.h).
const SK_FORCE_REUSE: u64 = 2;

/// The first words of a socket.
pub(crate) struct Words<'a, const N: usize>(Block<'a, N>);

/// The common part of a socket.
pub(crate) type Common<'a> = Words<'a, COMMON_WORDS>;
/// A whole socket, up to [`SOCK_LEN`].
pub(crate) type Whole<'a> = Words<'a, SOCK_WORDS>;

impl<'a> Common<'a> {
    /// Reads a socket into `room`.
    #[inline(always)]
    pub(crate) fn of(sock: Sock, room: &'a mut Room<COMMON_WORDS>) -> Self {
        Self(Block::read(room, sock.0))
    }

    /// Reads a socket into `words`.
    #[inline(always)]
    pub(crate) fn to(words: &'a mut [u64; SOCK_WORDS], sock: Sock) -> Self {
        let (words, _) = words.split_first_chunk_mut().unwrap();
        Self(Block::read_to::<COMMON_WORDS>(words, sock.0))
    }
}

impl<'a> Whole<'a> {
    /// Reads a socket into `words`.
    #[inline(always)]
    pub(crate) fn to(words: &'a mut [u64; SOCK_WORDS], sock: Sock) -> Self {
        Self(Block::read_to::<SMALL_WORDS>(words, sock.0))
    }

    /// Any field of `struct sock` and `struct inet_timewait_sock` that the layout has.
    #[inline(always)]
    pub(crate) fn get<T: Plain>(&self, offset: u32) -> T {
        self.0.get(offset)
    }

    /// Describes a socket on the requested port. Straight-line like [`Words::describe_endpoint`].
    #[inline(always)]
    pub(crate) fn describe_holder(&self, to: &mut Holder, sock: Sock, protocol: u16, inode: u64) {
        to.id = sock.0.0;
        to.inode = inode;
        to.address = self.local();
        to.peer = self.peer();
        to.jiffies_left = self.get::<u64>(at!(time_wait_expires)).wrapping_sub(jiffies()) as i64;
        to.backlog = self.get(at!(sock_ack_backlog));
        to.max_backlog = self.get(at!(sock_max_ack_backlog));
        to.interface = self.interface();
        to.uid = self.get(at!(sock_uid));
        to.family = self.family();
        to.protocol = protocol;
        to.peer_port = self.peer_port();
        to.state = self.state();
        to.time_wait_state = self.get(at!(time_wait_substate));
        to.options = self.all_options();
    }

    /// Describes the refused socket.
    #[inline(always)]
    pub(crate) fn describe_asked(&self, to: &mut Socket, asked: &Asked) {
        to.address = asked.address;
        to.netns = asked.netns;
        to.interface = self.interface();
        to.uid = self.get(at!(sock_uid));
        to.family = asked.family;
        to.protocol = asked.protocol;
        to.port = asked.port;
        to.socket_type = self.get(at!(sock_type));
        to.state = self.state();
        to.options = self.all_options();
        to.own_port = self.port();
    }

    /// Bits of `portbind_abi::option`.
    #[inline(always)]
    fn all_options(&self) -> u8 {
        self.options() | flag(self.get(at!(sock_reuseport_cb)), option::REUSE_PORT_GROUP)
    }
}

impl<const N: usize> Words<'_, N> {
    #[inline(always)]
    pub(crate) fn family(&self) -> u16 {
        self.0.get(at!(sock_family))
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> u8 {
        self.0.get(at!(sock_state))
    }

    #[inline(always)]
    pub(crate) fn port(&self) -> u16 {
        self.0.get(at!(sock_num))
    }

    #[inline(always)]
    pub(crate) fn peer_port(&self) -> u16 {
        u16::from_be(self.0.get(at!(sock_dport)))
    }

    #[inline(always)]
    pub(crate) fn interface(&self) -> u32 {
        self.0.get(at!(sock_bound_dev_if))
    }

    /// The socket's `struct net`.
    #[inline(always)]
    pub(crate) fn net(&self) -> Ptr {
        Ptr(self.0.get(at!(sock_net)))
    }

    #[inline(always)]
    pub(crate) fn netns(&self) -> u32 {
        self.net().read(at!(net_inum))
    }

    #[inline(always)]
    pub(crate) fn local(&self) -> Address {
        self.address(at!(sock_rcv_saddr), at!(sock_v6_rcv_saddr))
    }

    #[inline(always)]
    pub(crate) fn peer(&self) -> Address {
        self.address(at!(sock_daddr), at!(sock_v6_daddr))
    }

    /// The local or remote address. Where an AF_INET socket has its address, an AF_INET6 socket has a placeholder
    /// (LOOPBACK4_IPV6).
    #[inline(always)]
    fn address(&self, v4: u32, v6: u32) -> Address {
        let v4 = mapped(self.0.get(v4));
        if v6 == ABSENT {
            return v4;
        }
        choose(is_v4(self.family()), v4, self.0.get(v6))
    }

    /// The bits of `portbind_abi::option` that the common part holds.
    #[inline(always)]
    fn options(&self) -> u8 {
        let reuse = u64::from(self.0.bits(at!(sock_reuse), 4));
        flag(reuse, option::REUSE_ADDRESS)
            | flag(reuse & SK_FORCE_REUSE, option::FORCE_REUSE)
            | flag(u64::from(self.0.bits(at!(sock_reuseport), 1)), option::REUSE_PORT)
            | flag(u64::from(self.0.bits(at!(sock_ipv6only), 1)), option::V6_ONLY)
    }
}
