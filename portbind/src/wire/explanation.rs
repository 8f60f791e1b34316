//! Lines about the errors in a log.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::time::Time;

/// A line of kind `explanation`: a log line that reports "address already in use".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Explanation<'a> {
    /// [`SCHEMA`](crate::wire::SCHEMA).
    pub schema: Cow<'a, str>,
    /// `explanation`.
    pub kind: Cow<'a, str>,
    /// The line of the log.
    pub log: LogLine<'a>,
    /// The requested address, as far as the log contains it.
    pub target: Target<'a>,
    /// The matching refusal in a recording.
    pub refusal: Option<Refusal<'a>>,
    /// How log line and refusal were matched.
    pub join: Option<Join>,
    /// Why no refusal matches: `no-recording`, `none-like-it`, `other-address`, `not-then` or `ambiguous`.
    pub reason: Option<Cow<'a, str>>,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LogLine<'a> {
    /// The line number; the first line is 1.
    pub number: u64,
    /// The line, without control sequences, cut to 2000 bytes.
    pub text: Cow<'a, str>,
    /// The source of the wording that matched.
    pub source: Cow<'a, str>,
    /// How many more lines are about the same refusal.
    pub repeats: u64,
    /// The time in the line, as [`Refusal::time`]; null if the line has none.
    pub time: Option<Time>,
    /// Name of the program, if the line contains it.
    pub program: Option<Cow<'a, str>>,
    /// Process id in the line.
    pub pid: Option<u32>,
}

/// The requested address, as a log contains it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Target<'a> {
    /// `tcp` or `udp`.
    pub protocol: Option<Cow<'a, str>>,
    /// Address or host name.
    pub address: Option<Cow<'a, str>>,
    /// Port.
    pub port: Option<u16>,
    /// Path or abstract name.
    pub path: Option<Cow<'a, str>>,
}

/// How a log line and a refusal were matched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Join {
    /// The port or path matches.
    pub by_target: bool,
    /// The program's name matches.
    pub by_program: bool,
    /// The process id matches.
    pub by_pid: bool,
    /// Milliseconds from the refusal to the line; null if the two were matched by their order.
    pub apart_ms: Option<f64>,
    /// The number of refusals that could match.
    pub candidates: u64,
}
