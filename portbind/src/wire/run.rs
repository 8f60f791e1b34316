//! Lines about a run and what came after a refusal.

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
    /// When it became free, as [`Refusal::time`](super::refusal::Refusal::time).
    pub time: Time,
    /// When it was refused: [`Refusal::time`](super::refusal::Refusal::time) of that line.
    pub refused: Time,
    /// Milliseconds between the two.
    pub after_ms: f64,
    /// Who was refused.
    pub process: Relative<'a>,
    /// What was asked for.
    pub socket: Socket<'a>,
}

/// A line of kind `repeat`: more was refused to the same process, and only counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Repeat<'a> {
    /// [`SCHEMA`].
    pub schema: Cow<'a, str>,
    /// `repeat`.
    pub kind: Cow<'a, str>,
    /// By when it was counted, as [`Refusal::time`](super::refusal::Refusal::time).
    pub time: Time,
    /// When the last one was refused that was shown: [`Refusal::time`](super::refusal::Refusal::time) of that line. Null if none
    /// was.
    pub refused: Option<Time>,
    /// How many more there were since the last such line.
    pub count: u64,
    /// When the first of these was refused, at the latest.
    #[serde(default)]
    pub first: Option<Time>,
    /// When the last of these was refused.
    #[serde(default)]
    pub last: Option<Time>,
    /// Whether all asked for the same. If not, they came too fast to be looked at.
    #[serde(default = "always")]
    pub looked_at: bool,
    /// Who was refused.
    pub process: Relative<'a>,
    /// What they asked for, or the last one shown of the process.
    pub socket: Socket<'a>,
    /// Code of the cause of the last one that was shown. Null if none was.
    pub cause: Option<Cow<'a, str>>,
}

/// A line of kind `summary`: the account of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: Cow<'static, str>,
    /// `summary`.
    pub kind: Cow<'static, str>,
    /// Refusals, counted in the kernel.
    pub refused: u64,
    /// Shown.
    pub shown: u64,
    /// Counted as part of an earlier one.
    pub coalesced: u64,
    /// Kept back by a filter.
    pub filtered: u64,
    /// Lost.
    pub lost: u64,
    /// Whose refusals were lost, most first, as far as that is remembered.
    #[serde(default)]
    pub lost_by: Vec<LostBy>,
    /// Always 0, and kept for older readers: a refusal that is shown has all of its holders.
    #[serde(default)]
    pub steps_lost: u64,
    /// Calls whose return was missed.
    pub returns_missed: u64,
    /// Calls that the kernel did not show.
    pub passed_over: u64,
    /// Moments of the history of ports that were lost.
    pub history_lost: u64,
    /// Moments of the history of ports that were forgotten to stay within the limit.
    pub history_evicted: u64,
    /// What was kept in memory, and what bounds that.
    #[serde(default)]
    pub caches: Vec<Cache>,
    /// How long the run took.
    pub seconds: f64,
}

/// One of the caches of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Cache {
    /// What is kept: `introduced`, `met`, `seeded` (processes), `history`, `owners` (of sockets), `queue` (refusals that
    /// wait for their turn).
    pub name: Cow<'static, str>,
    /// Bytes at the end of the run; of `queue`, the most there were.
    pub bytes: usize,
    /// Bytes that may be kept.
    pub limit: usize,
    /// Entries that made room for others.
    pub evicted: u64,
}

/// Refusals of one user that were lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LostBy {
    /// The user: of processes in a user namespace, the owner of that.
    pub uid: u32,
    /// Id of the cgroup at level 1 or 2 that the processes are below; 0 for the root.
    pub cgroup_id: u64,
    /// How many.
    pub lost: u64,
}

impl From<&event::LostBy> for LostBy {
    fn from(&event::LostBy { uid, cgroup_id, lost }: &event::LostBy) -> Self {
        Self { uid, cgroup_id, lost }
    }
}

impl Summary {
    /// The account of a run that took `duration`.
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

/// What the lines of older portbinds mean, which have no count of any that were not looked at.
const fn always() -> bool {
    true
}
