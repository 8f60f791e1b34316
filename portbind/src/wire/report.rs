//! The line of a report.

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
    /// Refusals that were only counted.
    pub coalesced: u64,
    /// Refusals that were lost.
    pub lost: u64,
    /// Refusals that were not reported by their process.
    pub swallowed: u64,
    /// Sockets that outlived their command.
    pub leaked: u64,
    /// Commands that were run.
    pub commands: u64,
    /// Refusals by cause, the most frequent first. Only counted refusals are included if their cause is known.
    pub causes: Table<CauseCount<'a>>,
    /// Refusals by class of port, the most frequent first. Only counted refusals are included if their port is known.
    pub classes: Vec<ClassCount<'a>>,
    /// Refusals by requested port or name, the most frequent first, as for the classes.
    pub ports: Table<PortCount<'a>>,
    /// Refusals by pair of caller and holder, the most frequent first.
    pub pairs: Table<Pair<'a>>,
}

/// The first rows of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Table<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The number of omitted rows.
    pub more_rows: u64,
    /// The number of refusals in the omitted rows.
    pub more_refusals: u64,
}

/// A recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct File<'a> {
    /// The name of the file, as it was given.
    pub name: Cow<'a, str>,
    /// Number of lines that were read.
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
    /// The number of lines.
    pub lines: u64,
    /// Number of the first line.
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
    /// The number of refusals.
    pub refusals: u64,
    /// A remedy, preferably a lasting one.
    pub fix: Option<Fix<'a>>,
}

/// A class of ports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ClassCount<'a> {
    /// `privileged` (below 1024), `ephemeral` (32768 to 60999, for outgoing connections), `registered` (any other
    /// port), `any` (port 0) or `name` (a portless socket).
    pub class: Cow<'a, str>,
    /// The number of refusals.
    pub refusals: u64,
}

/// A port or name that was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PortCount<'a> {
    /// As [`Socket::protocol`](crate::wire::Socket::protocol) for internet sockets, and as
    /// [`Socket::family`](crate::wire::Socket::family) for other sockets; `mptcp` counts as `tcp`.
    pub protocol: Cow<'a, str>,
    /// The port; 0 requests any free port.
    pub port: Option<u16>,
    /// Path or name of a portless socket.
    pub name: Option<Cow<'a, str>>,
    /// As [`ClassCount::class`].
    pub class: Cow<'a, str>,
    /// As [`Socket::netns`](crate::wire::Socket::netns).
    pub netns: u32,
    /// As [`Socket::netns_name`](crate::wire::Socket::netns_name).
    pub netns_name: Option<Cow<'a, str>>,
    /// The number of refusals.
    pub refusals: u64,
    /// Time of the first refusal.
    pub from: Time,
    /// Time of the last refusal.
    pub to: Time,
    /// The holders over time.
    pub holders: Vec<Held<'a>>,
    /// The number of omitted holders.
    pub more_holders: u64,
    /// Equal refusals in groups, the most frequent first.
    pub events: Table<Event<'a>>,
}

/// A program and its test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Side<'a> {
    /// The program's name without versions and hashes; for an interpreter, with the script it runs.
    pub program: Cow<'a, str>,
    /// As [`Test::name`](crate::wire::Test::name).
    pub test: Option<Cow<'a, str>>,
}

/// A period in which a port was held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Held<'a> {
    /// The program behind the socket, or a description of the socket.
    pub by: Side<'a>,
    /// Thread group id of the process.
    pub pid: Option<u32>,
    /// `bound`, `listen`, `connection` or `time_wait`.
    pub state: Cow<'a, str>,
    /// When the socket got the port; null if that was before tracing began.
    pub from: Option<Time>,
    /// When the socket released the port; null if that was not seen.
    pub to: Option<Time>,
    /// When the socket was first seen on the port.
    pub first_seen: Time,
    /// When the socket was last seen on the port.
    pub last_seen: Time,
}

/// Refusals of one port with the same cause and the same programs and tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The number of refusals.
    pub refusals: u64,
    /// Time of the first refusal.
    pub from: Time,
    /// Time of the last refusal.
    pub to: Time,
    /// As [`Refusal::operation`](crate::wire::Refusal::operation), of the first refusal.
    pub operation: Cow<'a, str>,
    /// Name of the error, or its number.
    pub error: Cow<'a, str>,
    /// The caller.
    pub refused: Side<'a>,
    /// Thread group id of the first caller.
    pub pid: Option<u32>,
    /// The holder; null if none was found.
    pub by: Option<Side<'a>>,
    /// Thread group id of the first holder.
    pub by_pid: Option<u32>,
    /// As [`Cause::code`](crate::wire::Cause::code).
    pub cause: Cow<'a, str>,
    /// As [`Cause::summary`](crate::wire::Cause::summary), of the first refusal.
    pub summary: Cow<'a, str>,
    /// As [`Refusal::fixes`](crate::wire::Refusal::fixes), of the first refusal.
    pub fixes: Vec<Fix<'a>>,
    /// How many of these refusals were not reported by their process.
    pub swallowed: u64,
    /// The most milliseconds after which the port was free again.
    pub free_after_ms: Option<f64>,
}

/// A caller and the holder in its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Pair<'a> {
    /// The caller.
    pub refused: Side<'a>,
    /// The holder; null if none was found.
    pub by: Option<Side<'a>>,
    /// The number of refusals.
    pub refusals: u64,
    /// As [`Cause::code`](crate::wire::Cause::code), of the first refusal.
    pub cause: Cow<'a, str>,
}
