//! The header of every record.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

record! {
/// The first fields of every record.
pub struct Header = 24 {
    /// One of [`kind`](super::kind).
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
    /// Thread group id (upper half) and thread id (lower half), in the initial pid namespace.
    pub task: u64,
    /// Nanoseconds since boot, suspended time included (`bpf_ktime_get_boot_ns`).
    pub time: u64,
}
}
