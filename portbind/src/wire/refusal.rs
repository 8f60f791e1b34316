//! A refusal, as a line of JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;

use super::process::{Opener, Process};
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
    /// When the kernel said no: RFC 3339, UTC, nine digits of a second.
    pub time: Time,
    /// `bind`, `listen`, `autobind` or `unknown`.
    pub operation: Cow<'a, str>,
    /// What the caller got.
    pub error: Error<'a>,
    /// The caller.
    pub process: Process<'a>,
    /// The socket, with the address and port that were asked for.
    pub socket: Socket<'a>,
    /// Sockets on the port, those that conflict first.
    pub holders: Vec<Holder<'a>>,
    /// There were more holders.
    pub holders_truncated: bool,
    /// Sockets on the port whose addresses cannot overlap; not among the holders.
    pub bystanders: u32,
    /// Why the kernel refused.
    pub cause: Cause<'a>,
    /// What the diagnosis rests on: `kernel`, `history` or `afterwards`.
    pub confidence: Cow<'a, str>,
    /// What makes the call work, safest first.
    pub fixes: Vec<Fix<'a>>,
    /// What happened on the port before, oldest first.
    pub history: Vec<Moment<'a>>,
    /// Which backend saw it.
    pub backend: Cow<'a, str>,
    /// Refusals lost before this one, since the start.
    pub lost: u64,
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

/// Something that happened on the port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Moment<'a> {
    /// When, as [`Refusal::time`]; null if that was before tracing began.
    pub time: Option<Time>,
    /// `bound`, `listening`, `leaving` (closed a connection before its peer), `closed`, `connected`.
    pub what: Cow<'a, str>,
    /// The kernel chose the port.
    pub any: bool,
    /// Local address.
    pub address: IpAddr,
    /// The other end of a connection.
    pub peer: Option<Peer>,
    /// Inode number of the socket in sockfs.
    pub inode: Option<u64>,
    /// Who did it; null where it was nobody's doing.
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
