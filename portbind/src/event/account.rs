//! How a run accounted for its refusals.

use std::time::Duration;

/// The account of a run: every refusal is in exactly one of the other fields, so that
/// `refused` = `shown` + `coalesced` + `filtered` + `lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Refused calls of the whole machine whose error was asked for, whatever the other filters; the kernel half counts
    /// them.
    pub refused: u64,
    /// Refusals that were described: each is one [`Refusal`](super::Refusal).
    pub shown: u64,
    /// Refusals that were only counted, because an equal one had been described or there was no room or time to
    /// describe them. [`Repeat::count`](super::Repeat::count) has their number, as far as the process is known.
    pub coalesced: u64,
    /// Refusals that a filter left out, and those after the last one that was wanted.
    pub filtered: u64,
    /// Refusals of which nothing but their number is known: there was no room to describe them, and none to count them
    /// by process. [`Gaps::lost_by`] has the users, as far as known.
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

/// Gaps: whose refusals were lost, calls that are not in the [`Account`] at all, and what is missing in the history of
/// ports. If all numbers are 0, nothing is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gaps {
    /// The users of the refusals in [`Account::lost`], most first, as far as known.
    pub lost_by: Vec<LostBy>,
    /// Calls whose return was not traced, because too many calls were in flight (kprobe backend). Refusals among them
    /// are not in the account.
    pub returns_missed: u64,
    /// Calls for which the kernel skipped the program, because it was already running on that CPU. Refusals among them
    /// are not in the account.
    pub passed_over: u64,
    /// Port events that are missing in [`Refusal::history`](super::Refusal::history), because the ring buffer was full.
    pub history_lost: u64,
    /// Port events that were forgotten, oldest first, to stay within the limit of the history.
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
