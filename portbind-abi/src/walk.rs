//! Bits of [`Refusal::flags`](super::Refusal::flags).

/// The cap on steps or holders was reached: there are more.
pub const TRUNCATED: u32 = 1 << 0;
/// This protocol's sockets cannot be walked.
pub const NOT_WALKED: u32 = 1 << 1;
/// Every socket on the port got it by connect(2): nobody bound it (`fastreuse` and `fastreuseport` of
/// the bind bucket are -1, __inet_hash_connect in net/ipv4/inet_hashtables.c).
pub const CONNECTED_ONLY: u32 = 1 << 2;
