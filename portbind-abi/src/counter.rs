//! Per-CPU counters: indexes into the map `COUNTERS`.

/// Refusals with a wanted error.
pub const REFUSED: u32 = 0;
/// Refusals with a wanted error that a filter dropped.
pub const FILTERED: u32 = 1;
/// Refusals with a wanted error that were lost: neither the ring buffer nor the map of counts had room.
pub const LOST: u32 = 2;
/// Function entries that found the map of calls in flight full (kprobe backend): the returns of these calls are lost.
pub const LOST_ENTRIES: u32 = 3;
/// Port events that found no room in the ring buffer.
pub const LOST_LIFE: u32 = 4;
/// Descendants of the wrapped command that found their map full.
pub const LOST_DESCENDANTS: u32 = 5;
/// Coalesced refusals: counted with equal ones instead of sent.
pub const COALESCED: u32 = 6;
/// Refusals of the tracer's test address ([`PROOF_ADDRESS`](super::PROOF_ADDRESS)); no other counter includes them.
pub const PROOFS: u32 = 7;
/// Number of counters.
pub const COUNT: u32 = 8;
