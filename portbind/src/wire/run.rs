//! Lines about a run, and about events after a refusal.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::process::Relative;
use super::refusal::SCHEMA;
use super::socket::Socket;
use super::time::Time;
use crate::event;

/// A line of kind `release`: a refused port has become free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Release<'a> {
    /// [`SCHEMA`].
    pub schema: Cow<'a, str>,
    /// `release`.
    pub kind: Cow<'a, str>,
    /// When the port became free, as [`Refusal::time`](super::refusal::Refusal::time).
    pub time: Time,
    /// When the call was refused: the [`Refusal::time`](super::refusal::Refusal::time) of the refusal's line.
    pub refused: Time,
    /// Milliseconds from the refusal until the port was free.
    pub after_ms: f64,
    /// The caller.
    pub process: Relative<'a>,
    /// The requested address.
    pub socket: Socket<'a>,
}

/// A line of kind `repeat`: more refusals of the same process were only counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Repeat<'a> {
    /// [`SCHEMA`].
    pub schema: Cow<'a, str>,
    /// `repeat`.
    pub kind: Cow<'a, str>,
    /// The end of the counted period, as [`Refusal::time`](super::refusal::Refusal::time).
    pub time: Time,
    /// When the last shown call was refused: the [`Refusal::time`](super::refusal::Refusal::time) of its line. Null if
    /// none was shown.
    pub refused: Option<Time>,
    /// The number of refusals since the last line of this kind.
    pub count: u64,
    /// The latest possible time of the first of these refusals.
    #[serde(default)]
    pub first: Option<Time>,
    /// The time of the last of these refusals.
    #[serde(default)]
    pub last: Option<Time>,
    /// Whether all of these refusals were equal. If false, they came too fast to be examined one by one.
    #[serde(default = "always")]
    pub looked_at: bool,
    /// The caller.
    pub process: Relative<'a>,
    /// The requested address, or the address that was last shown for the process.
    pub socket: Socket<'a>,
    /// Code of the cause of the last shown refusal. Null if none was shown.
    pub cause: Option<Cow<'a, str>>,
}

/// A line of kind `summary`: the totals of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: Cow<'static, str>,
    /// `summary`.
    pub kind: Cow<'static, str>,
    /// Refusals, counted in the kernel.
    pub refused: u64,
    /// Refusals that were shown.
    pub shown: u64,
    /// Refusals that were counted as part of an earlier one.
    pub coalesced: u64,
    /// Refusals that a filter omitted.
    pub filtered: u64,
    /// Refusals that were lost.
    pub lost: u64,
    /// The users whose refusals were lost, most first, as far as they are recorded.
    #[serde(default)]
    pub lost_by: Vec<LostBy>,
    /// Always 0, and kept for older readers: every shown refusal has all of its holders.
    #[serde(default)]
    pub steps_lost: u64,
    /// Calls whose return was missed.
    pub returns_missed: u64,
    /// Calls that the kernel did not report.
    pub passed_over: u64,
    /// Events in the history of ports that were lost.
    pub history_lost: u64,
    /// Events in the history of ports that were dropped to stay within the limit.
    pub history_evicted: u64,
    /// The caches and their limits.
    #[serde(default)]
    pub caches: Vec<Cache>,
    /// How long the run took.
    pub seconds: f64,
}

/// One of the caches of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Cache {
    /// What the cache contains: `introduced`, `met`, `seeded` (processes), `history`, `owners` (of sockets), `queue`
    /// (refusals that wait to be processed).
    pub name: Cow<'static, str>,
    /// Bytes at the end of the run; for `queue`, the maximum.
    pub bytes: usize,
    /// The limit in bytes.
    pub limit: usize,
    /// Entries that were evicted for other entries.
    pub evicted: u64,
}

/// Lost refusals of one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LostBy {
    /// The user; for processes in a user namespace, the owner of the namespace.
    pub uid: u32,
    /// Id of the processes' ancestor cgroup at level 1 or 2; 0 for the root.
    pub cgroup_id: u64,
    /// The number of lost refusals.
    pub lost: u64,
}

impl From<&event::LostBy> for LostBy {
    fn from(&event::LostBy { uid, cgroup_id, lost }: &event::LostBy) -> Self {
        Self { uid, cgroup_id, lost }
    }
}

impl Summary {
    /// The summary of a run that took `duration`.
    #[must_use]
    pub fn new(account: &event::Account, gaps: &event::Gaps, duration: Duration) -> Self {
        Self {
            schema: SCHEMA.into(),
            kind: "summary".into(),
            refused: account.refused,
            shown: account.shown,
            coalesced: account.coalesced,
            filtered: account.filtered,
            lost: account.lost,
            lost_by: gaps.lost_by.iter().map(LostBy::from).collect(),
            steps_lost: 0,
            returns_missed: gaps.returns_missed,
            passed_over: gaps.passed_over,
            history_lost: gaps.history_lost,
            history_evicted: gaps.history_evicted,
            caches: Vec::new(),
            seconds: duration.as_secs_f64(),
        }
    }
}

impl From<&event::Summary> for Summary {
    fn from(summary: &event::Summary) -> Self {
        let event::Summary { account, gaps, caches, elapsed } = summary;
        Self { caches: caches.iter().map(Cache::from).collect(), ..Self::new(account, gaps, *elapsed) }
    }
}

impl From<&event::Cache> for Cache {
    fn from(&event::Cache { name, bytes, limit, evicted }: &event::Cache) -> Self {
        Self { name: name.into(), bytes, limit, evicted }
    }
}

/// The default for lines of older versions, which have no count of refusals that were not examined.
const fn always() -> bool {
    true
}
