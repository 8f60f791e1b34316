//! Processes, as JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::people::{Container, Test};
use super::time::Time;

/// The process that was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Process<'a> {
    /// Thread group id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// Name of the thread.
    pub comm: Cow<'a, str>,
    /// Path of the executable.
    pub exe: Option<Cow<'a, str>>,
    /// Arguments; empty if unknown.
    pub args: Cow<'a, [String]>,
    /// `args` was cut.
    pub args_truncated: bool,
    /// A secret in `args` was replaced by `***`; left out where none was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub args_masked: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// Real group id.
    pub gid: Option<u32>,
    /// Name of the user.
    pub user: Option<Cow<'a, str>>,
    /// Path in the cgroup hierarchy.
    pub cgroup: Option<Cow<'a, str>>,
    /// When it started, as [`Refusal::time`](super::refusal::Refusal::time).
    pub started: Option<Time>,
    /// The processes above it, nearest first.
    pub ancestors: Vec<Relative<'a>>,
    /// Its container.
    pub container: Option<Container<'a>>,
    /// Its systemd unit: of a user's own service manager where `cgroup` is below `user@UID.service`, else of the
    /// system.
    pub unit: Option<Cow<'a, str>>,
    /// The test or job it works for.
    pub test: Option<Test<'a>>,
}

/// A process by number and name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Relative<'a> {
    /// Thread group id.
    pub pid: u32,
    /// Name.
    pub comm: Cow<'a, str>,
}

/// A process that may have ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Opener<'a> {
    /// Thread group id.
    pub pid: u32,
    /// Name.
    pub comm: Cow<'a, str>,
    /// Path of the executable.
    pub exe: Option<Cow<'a, str>>,
    /// Arguments; empty if unknown.
    pub args: Cow<'a, [String]>,
    /// A secret in `args` was replaced by `***`; left out where none was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub args_masked: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// Name of the user; left out where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Cow<'a, str>>,
    /// Path in the cgroup hierarchy; left out where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<Cow<'a, str>>,
    /// When it started, as [`Refusal::time`](super::refusal::Refusal::time).
    pub started: Option<Time>,
    /// The processes above it, nearest first.
    pub ancestors: Vec<Relative<'a>>,
    /// Its container; left out where it is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container<'a>>,
    /// Its systemd unit, as [`Process::unit`]; left out where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Cow<'a, str>>,
    /// The test or job it works for.
    pub test: Option<Test<'a>>,
}

/// A process that has a holder open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct HolderProcess<'a> {
    /// Thread group id.
    pub pid: u32,
    /// Name.
    pub comm: Cow<'a, str>,
    /// The first of `fds`.
    pub fd: Option<u32>,
    /// Its descriptors of the socket, ascending.
    pub fds: Cow<'a, [u32]>,
    /// Path of the executable.
    pub exe: Option<Cow<'a, str>>,
    /// Arguments; empty if unknown.
    pub args: Cow<'a, [String]>,
    /// `args` was cut.
    pub args_truncated: bool,
    /// A secret in `args` was replaced by `***`; left out where none was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub args_masked: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// Name of the user.
    pub user: Option<Cow<'a, str>>,
    /// Path in the cgroup hierarchy.
    pub cgroup: Option<Cow<'a, str>>,
    /// When it started, as [`Refusal::time`](super::refusal::Refusal::time).
    pub started: Option<Time>,
    /// The processes above it, nearest first.
    pub ancestors: Vec<Relative<'a>>,
    /// Its container.
    pub container: Option<Container<'a>>,
    /// Its systemd unit; of systemd itself, the socket unit it has the holder open for.
    pub unit: Option<Cow<'a, str>>,
    /// The test or job it works for.
    pub test: Option<Test<'a>>,
}
