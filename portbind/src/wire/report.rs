//! The line that says what many refusals have in common.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refusal::Fix;
use super::time::Time;

/// A line of kind `report`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Report<'a> {
    /// [`SCHEMA`](crate::wire::SCHEMA).
    pub schema: Cow<'a, str>,
    /// `report`.
    pub kind: Cow<'a, str>,
    /// The recordings that were read.
    pub files: Vec<File<'a>>,
    /// Time of the first refusal, as [`Refusal::time`](crate::wire::Refusal::time).
    pub from: Option<Time>,
    /// Time of the last refusal.
    pub to: Option<Time>,
    /// Refusals that were shown.
    pub refused: u64,
    /// Refusals that were counted as part of an earlier one.
    pub coalesced: u64,
    /// Refusals that were lost.
    pub lost: u64,
    /// Refusals that their process did not report.
    pub swallowed: u64,
    /// Sockets that outlived their command.
    pub leaked: u64,
    /// Commands that were run.
    pub commands: u64,
    /// By cause, the most frequent first.
    pub causes: Table<CauseCount<'a>>,
    /// By class of port, the most frequent first.
    pub classes: Vec<ClassCount<'a>>,
    /// By what was asked for, the most frequent first.
    pub ports: Table<PortCount<'a>>,
    /// By who was refused by whom, the most frequent first.
    pub pairs: Table<Pair<'a>>,
}

/// The first rows of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Table<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Rows that are not among them.
    pub more_rows: u64,
    /// Refusals that these would count.
    pub more_refusals: u64,
}

/// A recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct File<'a> {
    /// Its name, as it was given.
    pub name: Cow<'a, str>,
    /// Lines that were understood.
    pub lines: u64,
    /// Lines that were skipped, by reason.
    pub skipped: Vec<Skipped<'a>>,
}

/// Lines that were skipped for one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Skipped<'a> {
    /// `torn`, `foreign`, `other_version`, `too_long`, `not_text`, `malformed` or `unknown_kind`.
    pub reason: Cow<'a, str>,
    /// How many.
    pub lines: u64,
    /// Number of the first.
    pub first: u64,
}

/// A cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct CauseCount<'a> {
    /// As [`Cause::code`](crate::wire::Cause::code).
    pub code: Cow<'a, str>,
    /// As [`Cause::summary`](crate::wire::Cause::summary), of the first refusal.
    pub summary: Cow<'a, str>,
    /// How many refusals.
    pub refusals: u64,
    /// What helps, from then on if possible.
    pub fix: Option<Fix<'a>>,
}

/// A class of ports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ClassCount<'a> {
    /// `privileged` (below 1024), `ephemeral` (32768 to 60999, which outgoing connections get), `registered` (any
    /// other), `any` (port 0) or `name` (a socket without a port).
    pub class: Cow<'a, str>,
    /// How many refusals.
    pub refusals: u64,
}

/// A port or name that was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PortCount<'a> {
    /// As [`Socket::protocol`](crate::wire::Socket::protocol) of internet sockets, as
    /// [`Socket::family`](crate::wire::Socket::family) of others; `mptcp` counts as `tcp`.
    pub protocol: Cow<'a, str>,
    /// Port; 0 is any.
    pub port: Option<u16>,
    /// Path or name of a socket without a port.
    pub name: Option<Cow<'a, str>>,
    /// As [`ClassCount::class`].
    pub class: Cow<'a, str>,
    /// As [`Socket::netns`](crate::wire::Socket::netns).
    pub netns: u32,
    /// As [`Socket::netns_name`](crate::wire::Socket::netns_name).
    pub netns_name: Option<Cow<'a, str>>,
    /// How many refusals.
    pub refusals: u64,
    /// Time of the first.
    pub from: Time,
    /// Time of the last.
    pub to: Time,
    /// Who held it when.
    pub holders: Vec<Held<'a>>,
    /// Holders that are not among them.
    pub more_holders: u64,
    /// Refusals that are alike, the most frequent first.
    pub events: Table<Event<'a>>,
}

/// A program, and the test it works for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Side<'a> {
    /// Its name without versions and hashes, of an interpreter also what it runs.
    pub program: Cow<'a, str>,
    /// As [`Test::name`](crate::wire::Test::name).
    pub test: Option<Cow<'a, str>>,
}

/// A time in which a port was held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Held<'a> {
    /// Who was behind it, or what it was.
    pub by: Side<'a>,
    /// Thread group id of the process.
    pub pid: Option<u32>,
    /// `bound`, `listen`, `connection` or `time_wait`.
    pub state: Cow<'a, str>,
    /// When it got the port; null if that was before tracing began.
    pub from: Option<Time>,
    /// When it let go of it; null if that was not seen.
    pub to: Option<Time>,
    /// When it was first seen on the port.
    pub first_seen: Time,
    /// When it was last seen on the port.
    pub last_seen: Time,
}

/// Refusals of one port with the same cause and the same programs and tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Event<'a> {
    /// How many.
    pub refusals: u64,
    /// Time of the first.
    pub from: Time,
    /// Time of the last.
    pub to: Time,
    /// As [`Refusal::operation`](crate::wire::Refusal::operation), of the first.
    pub operation: Cow<'a, str>,
    /// Name of the error, or its number.
    pub error: Cow<'a, str>,
    /// Who was refused.
    pub refused: Side<'a>,
    /// Thread group id of the first process that was refused.
    pub pid: Option<u32>,
    /// Who was in the way; null where nobody was found.
    pub by: Option<Side<'a>>,
    /// Thread group id of the first of them.
    pub by_pid: Option<u32>,
    /// As [`Cause::code`](crate::wire::Cause::code).
    pub cause: Cow<'a, str>,
    /// As [`Cause::summary`](crate::wire::Cause::summary), of the first.
    pub summary: Cow<'a, str>,
    /// As [`Refusal::fixes`](crate::wire::Refusal::fixes), of the first.
    pub fixes: Vec<Fix<'a>>,
    /// How many of them their process did not report.
    pub swallowed: u64,
    /// Milliseconds after which the port was free again, at most.
    pub free_after_ms: Option<f64>,
}

/// Who was refused by whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Pair<'a> {
    /// Who was refused.
    pub refused: Side<'a>,
    /// Who was in the way; null where nobody was found.
    pub by: Option<Side<'a>>,
    /// How many refusals.
    pub refusals: u64,
    /// As [`Cause::code`](crate::wire::Cause::code), of the first.
    pub cause: Cow<'a, str>,
}
