//! A refusal, as a line of JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;

use super::process::{Opener, Process, Relative};
use super::socket::{Holder, Peer, Socket};
use super::time::Time;

/// Name and version of the format, in every line.
pub const SCHEMA: &str = "portbind.event/1";

/// A line of kind `refusal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Refusal<'a> {
    /// [`SCHEMA`].
    pub schema: Cow<'a, str>,
    /// `refusal`.
    pub kind: Cow<'a, str>,
    /// When the kernel refused: RFC 3339, UTC, nanoseconds.
    pub time: Time,
    /// `bind`, `listen`, `autobind` or `unknown`.
    pub operation: Cow<'a, str>,
    /// The error that the caller received.
    pub error: Error<'a>,
    /// The caller.
    pub process: Process<'a>,
    /// The socket, with the requested address and port.
    pub socket: Socket<'a>,
    /// Sockets on the port; the ones in the way come first.
    pub holders: Vec<Holder<'a>>,
    /// There were more holders.
    pub holders_truncated: bool,
    /// Sockets on the port whose addresses cannot overlap; not among the holders.
    pub bystanders: u32,
    /// Why the kernel refused.
    pub cause: Cause<'a>,
    /// How the caller and the process in its way are related; omitted if no relation is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation<'a>>,
    /// The evidence for the diagnosis: `kernel`, `history` or `afterwards`.
    pub confidence: Cow<'a, str>,
    /// Remedies, safest first.
    pub fixes: Vec<Fix<'a>>,
    /// Earlier events on the port, oldest first.
    pub history: Vec<Moment<'a>>,
    /// The backend that recorded the refusal.
    pub backend: Cow<'a, str>,
    /// Refusals lost since the start, before this one.
    pub lost: u64,
    /// `run` only: the refused process is no descendant of the command. It belongs to a daemon, of which the command or
    /// one of its descendants is a client; otherwise omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<OnBehalf<'a>>,
}

/// A daemon, and the client that it worked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct OnBehalf<'a> {
    /// The name of the daemon.
    pub daemon: Cow<'a, str>,
    /// The client whose arguments name what was refused; null if no client's do: the daemon may have worked for others.
    pub client: Option<Relative<'a>>,
    /// What the arguments name: `port` (published), `container` (or its pod), `unit`, or `arguments` (the command line
    /// that runs there); null without a client.
    pub by: Option<Cow<'a, str>>,
    /// The name of that container or unit.
    pub name: Option<Cow<'a, str>>,
}

/// An error number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Error<'a> {
    /// Symbolic name.
    pub name: Option<Cow<'a, str>>,
    /// Positive number.
    pub number: u32,
}

/// An event on the port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Moment<'a> {
    /// The time of the event, as [`Refusal::time`]; null if it was before tracing began.
    pub time: Option<Time>,
    /// `bound`, `listening`, `leaving` (closed a connection before its peer), `closed`, `connected`.
    pub what: Cow<'a, str>,
    /// The kernel chose the port.
    pub any: bool,
    /// Local address.
    pub address: IpAddr,
    /// The peer of a connection.
    pub peer: Option<Peer>,
    /// Inode number of the socket in sockfs.
    pub inode: Option<u64>,
    /// The process that caused the event; null if no process did.
    pub process: Option<Opener<'a>>,
}

/// Why the kernel refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Cause<'a> {
    /// Stable code.
    pub code: Cow<'a, str>,
    /// One sentence.
    pub summary: Cow<'a, str>,
}

/// How the caller and the process in its way are related.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Relation<'a> {
    /// `ancestor`, `descendant`, `worker` (of one master), `sibling`, `earlier-run` (of the same command),
    /// `other-folder` (the same program there), `left-over` (its parent has ended), `same-service`, `same-container`.
    pub code: Cow<'a, str>,
    /// One sentence.
    pub text: Cow<'a, str>,
}

/// A change that makes the call work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Fix<'a> {
    /// Stable code.
    pub code: Cow<'a, str>,
    /// What to do.
    pub text: Cow<'a, str>,
    /// The command that does it.
    pub command: Option<Cow<'a, str>>,
}
