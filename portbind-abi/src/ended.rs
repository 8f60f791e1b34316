//! The wrapped command and its descendants.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::header::Header;

record! {
/// The wrapped command, or one of its descendants, has ended.
pub struct Ended = 40 {
    /// Kind [`ENDED`](super::kind::ENDED).
    pub header: Header,
    /// When the process started, in nanoseconds since boot.
    pub start_time: u64,
    /// Exit status and signal, as wait(2) returns them.
    pub status: u32,
    /// Zero.
    pub reserved: u32,
}
}
