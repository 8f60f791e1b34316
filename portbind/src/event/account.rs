//! The account of a run.

use std::time::Duration;

/// The account of a run: every refusal is in exactly one of the parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Refusals with a wanted error, counted in the kernel.
    pub refused: u64,
    /// Told.
    pub shown: u64,
    /// Told as part of an earlier one.
    pub coalesced: u64,
    /// Kept back by a filter.
    pub filtered: u64,
    /// Lost: there was no room for them, neither in the ring buffer nor among those that are counted.
    pub lost: u64,
}

/// Refusals of one user that were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostBy {
    /// The user: of processes in a user namespace, the owner of that.
    pub uid: u32,
    /// Id of the cgroup at level 1 or 2 that the processes are below; 0 for the root.
    pub cgroup_id: u64,
    /// How many.
    pub lost: u64,
}

/// What the account of a run cannot tell: refusals that nobody saw, and what is missing in the history of ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gaps {
    /// Whose refusals were lost, most first, as far as that is remembered.
    pub lost_by: Vec<LostBy>,
    /// Calls whose return could not be waited for, because too many were in flight (kprobe backend).
    pub returns_missed: u64,
    /// Calls that the kernel did not show, because a program was interrupted on that CPU.
    pub passed_over: u64,
    /// Moments in the life of ports for which the ring buffer had no room.
    pub history_lost: u64,
    /// Moments in the life of ports that were forgotten to stay within the limit.
    pub history_evicted: u64,
}

/// What one cache of a run has kept, and its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cache {
    /// What is kept.
    pub name: &'static str,
    /// Bytes at the end of the run; of the queue, the most there were.
    pub bytes: usize,
    /// Bytes that may be kept.
    pub limit: usize,
    /// Entries that made room for others.
    pub evicted: u64,
}

/// The end of a run, accounted for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Every refusal.
    pub account: Account,
    /// What the account lacks.
    pub gaps: Gaps,
    /// What was kept in memory, cache by cache.
    pub caches: Vec<Cache>,
    /// How long the run took.
    pub elapsed: Duration,
}
