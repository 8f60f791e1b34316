//! The wrapped command and its descendants.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::header::Header;

record! {
/// A process of the family has ended.
pub struct Ended = 40 {
    /// Kind [`ENDED`](super::kind::ENDED).
    pub header: Header,
    /// Nanoseconds since boot at which the process started.
    pub start_time: u64,
    /// What wait(2) tells of it: exit status and signal.
    pub status: u32,
    /// Zero.
    pub reserved: u32,
}
}
