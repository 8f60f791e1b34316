//! What all kinds of sockets share (`struct sock_common`, include/net/sock.h), read at once.

use portbind_ebpf::abi::{Address, option};
use portbind_ebpf::layout::ABSENT;

use super::{Sock, choose, flag, is_v4, mapped};
use crate::kernel::{Block, Ptr, at};

/// `SK_FORCE_REUSE` (include/net/sock.h).
const SK_FORCE_REUSE: u64 = 2;

/// The common part of a socket, as it was at one moment.
pub(crate) struct Common<'a>(&'a Block);

impl Common<'_> {
    /// Reads it into `room`.
    #[inline(always)]
    pub(crate) fn of(sock: Sock, room: &mut Block) -> Common<'_> {
        room.read(sock.0);
        Common(room)
    }

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

    #[inline(always)]
    pub(crate) fn netns(&self) -> u32 {
        Ptr(self.0.get(at!(sock_net))).read(at!(net_inum))
    }

    #[inline(always)]
    pub(crate) fn local(&self) -> Address {
        self.address(at!(sock_rcv_saddr), at!(sock_v6_rcv_saddr))
    }

    #[inline(always)]
    pub(crate) fn peer(&self) -> Address {
        self.address(at!(sock_daddr), at!(sock_v6_daddr))
    }

    /// An AF_INET6 socket keeps a placeholder where AF_INET keeps the address (LOOPBACK4_IPV6).
    #[inline(always)]
    fn address(&self, v4: u32, v6: u32) -> Address {
        let v4 = mapped(self.0.get(v4));
        if v6 == ABSENT {
            return v4;
        }
        choose(is_v4(self.family()), v4, self.0.get(v6))
    }

    /// Bits of `abi::option` that the common part tells.
    #[inline(always)]
    pub(crate) fn options(&self) -> u32 {
        let reuse = u64::from(self.0.bits(at!(sock_reuse), 4));
        flag(reuse, option::REUSE_ADDRESS)
            | flag(reuse & SK_FORCE_REUSE, option::FORCE_REUSE)
            | flag(u64::from(self.0.bits(at!(sock_reuseport), 1)), option::REUSE_PORT)
            | flag(u64::from(self.0.bits(at!(sock_ipv6only), 1)), option::V6_ONLY)
    }
}
