//! How a run accounted for its refusals.

use std::time::Duration;

/// The account of a run: every refusal is counted in exactly one field below `refused`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Refusals with a wanted error, counted by the kernel half.
    pub refused: u64,
    /// Shown.
    pub shown: u64,
    /// Coalesced with an earlier one.
    pub coalesced: u64,
    /// Removed by a filter.
    pub filtered: u64,
    /// Lost: there was no room, neither in the ring buffer nor in the table of counts.
    pub lost: u64,
}

/// Lost refusals of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostBy {
    /// The user; for processes in a user namespace, the namespace's owner.
    pub uid: u32,
    /// Id of the processes' cgroup ancestor at level 1 or 2; 0 for the root.
    pub cgroup_id: u64,
    /// Number of lost refusals.
    pub lost: u64,
}

/// Gaps in the account: refusals that were not seen, and what is missing in the history of ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gaps {
    /// The users whose refusals were lost, most first, as far as recorded.
    pub lost_by: Vec<LostBy>,
    /// Calls whose return was not traced, because too many calls were in flight (kprobe backend).
    pub returns_missed: u64,
    /// Calls that the kernel skipped, because a run of the same program was interrupted on that CPU.
    pub passed_over: u64,
    /// Port events lost because the ring buffer was full.
    pub history_lost: u64,
    /// Port events forgotten to stay within the limit.
    pub history_evicted: u64,
}

/// Use and limit of one cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cache {
    /// Name of the cache.
    pub name: &'static str,
    /// Bytes at the end of the run; for the queue, the maximum during the run.
    pub bytes: usize,
    /// Limit in bytes.
    pub limit: usize,
    /// Entries dropped to make room.
    pub evicted: u64,
}

/// The summary at the end of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The account of every refusal.
    pub account: Account,
    /// Gaps in the account.
    pub gaps: Gaps,
    /// Memory use, by cache.
    pub caches: Vec<Cache>,
    /// Duration of the run.
    pub elapsed: Duration,
}
