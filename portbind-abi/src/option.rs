//! Bits of [`Socket::options`](super::Socket::options) and [`Holder::options`](super::Holder::options).

/// SO_REUSEADDR is set.
pub const REUSE_ADDRESS: u8 = 1 << 0;
/// SO_REUSEPORT is set.
pub const REUSE_PORT: u8 = 1 << 1;
/// IPV6_V6ONLY is set, or the socket is bound to an IPv6 address that implies it.
pub const V6_ONLY: u8 = 1 << 2;
/// TCP_REPAIR lets every bind succeed (`SK_FORCE_REUSE`, include/net/sock.h).
pub const FORCE_REUSE: u8 = 1 << 3;
/// The socket has a reuseport group or a program that selects within one (`sk_reuseport_cb`).
pub const REUSE_PORT_GROUP: u8 = 1 << 4;
