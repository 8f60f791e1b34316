//! The account of a run.

/// The account of a run: every refusal is in exactly one of the parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Refusals with a wanted error, counted in the kernel.
    pub refused: u64,
    /// Told.
    pub shown: u64,
    /// Told as part of an earlier one.
    pub coalesced: u64,
    /// Kept back by a filter.
    pub filtered: u64,
    /// Lost because the ring buffer was full, or a probe missed.
    pub lost: u64,
}

/// What the account of a run cannot tell: refusals that nobody saw, and parts of those that were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Holders, sums of searches and ends of calls of told refusals that found the ring buffer full.
    pub steps_lost: u64,
    /// Calls whose return could not be waited for, because too many were in flight (kprobe backend).
    pub returns_missed: u64,
    /// Calls that the kernel did not show, because a program was interrupted on that CPU.
    pub passed_over: u64,
    /// Moments in the life of ports that found the ring buffer full.
    pub history_lost: u64,
    /// Moments in the life of ports that were forgotten to stay within the limit.
    pub history_evicted: u64,
}
