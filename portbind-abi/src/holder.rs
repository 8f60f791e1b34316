//! Bits of [`Holder::flags`](super::Holder::flags).

/// An orphan: no process has the socket open any more; the kernel is finishing the connection.
pub const ORPHAN: u8 = 1 << 1;
/// A connection that no process has accepted yet.
pub const NOT_ACCEPTED: u8 = 1 << 2;
/// A socket that the kernel opened for itself.
pub const KERNEL: u8 = 1 << 3;
