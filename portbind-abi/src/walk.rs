//! Bits of [`Refusal::flags`](super::Refusal::flags).

/// The search reached its limit of steps or holders: there may be further holders.
pub const TRUNCATED: u32 = 1 << 0;
/// The search does not support this protocol.
pub const NOT_WALKED: u32 = 1 << 1;
/// Every socket on the port got the port from connect(2), none from bind(2) (`fastreuse` and `fastreuseport` of the
/// bind bucket are -1, __inet_hash_connect in net/ipv4/inet_hashtables.c).
pub const CONNECTED_ONLY: u32 = 1 << 2;
