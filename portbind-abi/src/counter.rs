//! Per-CPU counters: indexes into the map `COUNTERS`.

/// Refusals with a wanted error.
pub const REFUSED: u32 = 0;
/// Of these, kept back by a filter.
pub const FILTERED: u32 = 1;
/// Of these, lost: there was no room for them, neither in the ring buffer nor in the map of counts.
pub const LOST: u32 = 2;
/// Entries that found the map of calls in flight full (kprobe backend): their return is lost.
pub const LOST_ENTRIES: u32 = 3;
/// Records of the life of ports for which there was no room in the ring buffer.
pub const LOST_LIFE: u32 = 4;
/// Descendants of the wrapped command that found the map of them full.
pub const LOST_DESCENDANTS: u32 = 5;
/// Refusals that were counted with others like them.
pub const COALESCED: u32 = 6;
/// Refusals of the address by which a tracer proves itself ([`PROOF_ADDRESS`](super::PROOF_ADDRESS)); no other counter has
/// them.
pub const PROOFS: u32 = 7;
/// How many there are.
pub const COUNT: u32 = 8;
