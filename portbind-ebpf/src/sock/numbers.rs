//! Families, protocols and states, by number.

use super::bits::nonzero;

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

/// 1 for AF_INET, 0 for AF_INET6; undefined for other families.
#[inline(always)]
pub(crate) fn is_v4(family: u16) -> u64 {
    nonzero(u64::from(family ^ AF_INET6))
}

/// Zero for internet address families, without a branch.
#[inline(always)]
pub(crate) fn foreign(family: u16) -> u64 {
    nonzero(u64::from(family ^ AF_INET)) & nonzero(u64::from(family ^ AF_INET6))
}
