//! Lines about a wrapped command.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::people::Test;
use super::process::Relative;
use super::refusal::SCHEMA;
use super::socket::Holder;
use super::time::Time;
use crate::event;

/// A line of kind `command`: a command was started; the following lines are about it and its descendants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Command<'a> {
    /// [`SCHEMA`](super::refusal::SCHEMA).
    pub schema: Cow<'a, str>,
    /// `command`.
    pub kind: Cow<'a, str>,
    /// When the command was started, as [`Refusal::time`](super::refusal::Refusal::time).
    pub time: Time,
    /// The pid of the command.
    pub pid: u32,
    /// The command and its arguments.
    pub args: Cow<'a, [String]>,
    /// A secret in `args` was replaced by `***`; omitted if false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub args_masked: bool,
    /// Real user id of the command.
    pub uid: u32,
    /// Name of the user.
    pub user: Option<Cow<'a, str>>,
    /// The test or job that the command belongs to.
    pub test: Option<Test<'a>>,
}

/// A line of kind `outcome`: what the process of a refused bind did afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Outcome<'a> {
    /// [`SCHEMA`](super::refusal::SCHEMA).
    pub schema: Cow<'a, str>,
    /// `outcome`.
    pub kind: Cow<'a, str>,
    /// When the process ended, as [`Refusal::time`](super::refusal::Refusal::time); null if it still ran when tracing
    /// ended.
    pub time: Option<Time>,
    /// When the process was refused: the [`Refusal::time`](super::refusal::Refusal::time) of the refusal's line.
    pub refused: Time,
    /// The process.
    pub process: Relative<'a>,
    /// Milliseconds that the process ran after the refusal.
    pub lived_on_ms: f64,
    /// The exit status; null if the process still ran, or a signal ended it.
    pub exit_status: Option<u8>,
    /// The signal that ended the process.
    pub signal: Option<u8>,
    /// The process continued, and did not end with a failure, so its exit status did not report the refusal.
    pub swallowed: bool,
}

/// A line of kind `leak`: a descendant still had this socket bound when the command had ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Leak<'a> {
    /// [`SCHEMA`](super::refusal::SCHEMA).
    pub schema: Cow<'a, str>,
    /// `leak`.
    pub kind: Cow<'a, str>,
    /// When the leak was found, as [`Refusal::time`](super::refusal::Refusal::time).
    pub time: Time,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// The socket, its opener and its owners; it is not in the way of any call yet.
    pub socket: Holder<'a>,
}

/// A line of kind `end`: the command has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct End<'a> {
    /// [`SCHEMA`](super::refusal::SCHEMA).
    pub schema: Cow<'a, str>,
    /// `end`.
    pub kind: Cow<'a, str>,
    /// When the command ended, as [`Refusal::time`](super::refusal::Refusal::time).
    pub time: Time,
    /// When the command was started: the [`Command::time`] of its `command` line.
    pub started: Time,
    /// The exit status; null if a signal ended the command.
    pub exit_status: Option<u8>,
    /// The signal that ended the command.
    pub signal: Option<u8>,
}

impl<'a> From<&'a event::Command> for Command<'a> {
    fn from(command: &'a event::Command) -> Self {
        Self {
            schema: SCHEMA.into(),
            kind: "command".into(),
            time: command.time.into(),
            pid: command.pid,
            args: Cow::from(&command.args),
            args_masked: false,
            uid: command.uid,
            user: command.user.as_deref().map(Cow::from),
            test: command.job.as_ref().map(Test::from),
        }
    }
}

impl<'a> From<&'a event::Outcome> for Outcome<'a> {
    fn from(outcome: &'a event::Outcome) -> Self {
        let (exit_status, signal) = ending(outcome.ended.map(|end| end.ending));
        Self {
            schema: SCHEMA.into(),
            kind: "outcome".into(),
            time: outcome.ended.map(|end| end.time.into()),
            refused: outcome.refused.into(),
            process: Relative { pid: outcome.process.pid, comm: outcome.process.comm.as_str().into() },
            lived_on_ms: outcome.lived_on().as_millis_f64(),
            exit_status,
            signal,
            swallowed: outcome.is_swallowed(),
        }
    }
}

impl<'a> From<&'a event::Leak> for Leak<'a> {
    fn from(leak: &'a event::Leak) -> Self {
        Self {
            schema: SCHEMA.into(),
            kind: "leak".into(),
            time: leak.time.into(),
            netns: leak.netns,
            socket: Holder::from(&leak.socket),
        }
    }
}

impl From<&event::CommandEnd> for End<'static> {
    fn from(end: &event::CommandEnd) -> Self {
        let (exit_status, signal) = ending(Some(end.ending));
        Self {
            schema: SCHEMA.into(),
            kind: "end".into(),
            time: end.time.into(),
            started: end.started.into(),
            exit_status,
            signal,
        }
    }
}

/// Exit status and signal.
const fn ending(ending: Option<event::Ending>) -> (Option<u8>, Option<u8>) {
    match ending {
        Some(event::Ending::Exited(status)) => (Some(status), None),
        Some(event::Ending::Killed(signal)) => (None, Some(signal)),
        None => (None, None),
    }
}
