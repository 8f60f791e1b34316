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
    /// Working folder; omitted if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<Cow<'a, str>>,
    /// Branch of the git work tree around that folder, or the first digits of its commit; omitted if unknown, or if no
    /// other process runs the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Cow<'a, str>>,
    /// Arguments; empty if unknown.
    pub args: Cow<'a, [String]>,
    /// `args` was cut.
    pub args_truncated: bool,
    /// A secret in `args` was replaced by `***`; omitted if false.
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
    /// When the process started, as [`Refusal::time`](super::refusal::Refusal::time).
    pub started: Option<Time>,
    /// The ancestors, nearest first.
    pub ancestors: Vec<Relative<'a>>,
    /// The container of the process.
    pub container: Option<Container<'a>>,
    /// The container whose published port the process serves from outside; omitted if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_for: Option<Container<'a>>,
    /// The systemd unit: of a user's service manager if `cgroup` is below `user@UID.service`, otherwise of the system.
    pub unit: Option<Cow<'a, str>>,
    /// The test or job that the process belongs to.
    pub test: Option<Test<'a>>,
}

/// A process by pid and name.
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
    /// Working folder; omitted if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<Cow<'a, str>>,
    /// As [`Process::branch`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Cow<'a, str>>,
    /// Arguments; empty if unknown.
    pub args: Cow<'a, [String]>,
    /// A secret in `args` was replaced by `***`; omitted if false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub args_masked: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// Name of the user; omitted if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Cow<'a, str>>,
    /// Path in the cgroup hierarchy; omitted if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<Cow<'a, str>>,
    /// When the process started, as [`Refusal::time`](super::refusal::Refusal::time).
    pub started: Option<Time>,
    /// The ancestors, nearest first.
    pub ancestors: Vec<Relative<'a>>,
    /// The container; omitted if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container<'a>>,
    /// The container whose published port the process serves from outside; omitted if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_for: Option<Container<'a>>,
    /// The systemd unit, as [`Process::unit`]; omitted if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Cow<'a, str>>,
    /// The test or job that the process belongs to.
    pub test: Option<Test<'a>>,
}

/// An owner of a holder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct HolderProcess<'a> {
    /// Thread group id.
    pub pid: u32,
    /// Name.
    pub comm: Cow<'a, str>,
    /// The first of `fds`.
    pub fd: Option<u32>,
    /// The owner's descriptors of the socket, in ascending order.
    pub fds: Cow<'a, [u32]>,
    /// Path of the executable.
    pub exe: Option<Cow<'a, str>>,
    /// Working folder; omitted if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<Cow<'a, str>>,
    /// Branch of the git work tree around that folder, or the first digits of its commit; omitted if unknown, or if no
    /// other process runs the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Cow<'a, str>>,
    /// Arguments; empty if unknown.
    pub args: Cow<'a, [String]>,
    /// `args` was cut.
    pub args_truncated: bool,
    /// A secret in `args` was replaced by `***`; omitted if false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub args_masked: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// Name of the user.
    pub user: Option<Cow<'a, str>>,
    /// Path in the cgroup hierarchy.
    pub cgroup: Option<Cow<'a, str>>,
    /// When the process started, as [`Refusal::time`](super::refusal::Refusal::time).
    pub started: Option<Time>,
    /// The ancestors, nearest first.
    pub ancestors: Vec<Relative<'a>>,
    /// The container of the process.
    pub container: Option<Container<'a>>,
    /// The container whose published port the process serves from outside; omitted if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_for: Option<Container<'a>>,
    /// The systemd unit; for systemd itself, the socket unit for which it has the holder open.
    pub unit: Option<Cow<'a, str>>,
    /// The test or job that the process belongs to.
    pub test: Option<Test<'a>>,
}
