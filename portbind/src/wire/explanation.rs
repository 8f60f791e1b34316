//! Lines about a log.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::time::Time;

/// A line of kind `explanation`: a line of a log that says that an address is in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Explanation<'a> {
    /// [`SCHEMA`](crate::wire::SCHEMA).
    pub schema: Cow<'a, str>,
    /// `explanation`.
    pub kind: Cow<'a, str>,
    /// The line of the log.
    pub log: LogLine<'a>,
    /// What was asked for, as far as the log says.
    pub target: Target<'a>,
    /// The refusal in a recording that it goes with.
    pub refusal: Option<Refusal<'a>>,
    /// How the two were brought together.
    pub join: Option<Join>,
    /// Why there is no refusal: `no-recording`, `none-like-it`, `not-then` or `ambiguous`.
    pub reason: Option<Cow<'a, str>>,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LogLine<'a> {
    /// Its number, the first is 1.
    pub number: u64,
    /// The line, without control sequences, cut to 2000 bytes.
    pub text: Cow<'a, str>,
    /// Whose wording it is.
    pub source: Cow<'a, str>,
    /// How many more lines tell of the same refusal.
    pub repeats: u64,
    /// When it was written, as [`Refusal::time`]; null if it does not say.
    pub time: Option<Time>,
    /// Name of the program, where the line says it.
    pub program: Option<Cow<'a, str>>,
    /// Process id as the line says it.
    pub pid: Option<u32>,
}

/// What was asked for, as a log says it.
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

/// How a line of a log and a refusal were brought together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Join {
    /// By the port or path.
    pub by_target: bool,
    /// By the name of the program.
    pub by_program: bool,
    /// By the process id.
    pub by_pid: bool,
    /// Milliseconds from the refusal to the line; null where they go together by their order.
    pub apart_ms: Option<f64>,
    /// How many refusals came into question.
    pub candidates: u64,
}
