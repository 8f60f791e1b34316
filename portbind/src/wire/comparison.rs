//! The line of a comparison.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A line of kind `comparison`: the refusals of recordings from before and after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Comparison<'a> {
    /// [`SCHEMA`](crate::wire::SCHEMA).
    pub schema: Cow<'a, str>,
    /// `comparison`.
    pub kind: Cow<'a, str>,
    /// The recordings from before.
    pub before: Side<'a>,
    /// The recordings from after.
    pub after: Side<'a>,
    /// Every fingerprint: new ones first, then unchanged ones, then ones that are gone.
    pub changes: Vec<Change<'a>>,
}

/// The recordings of one side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Side<'a> {
    /// The number of recorded runs.
    pub runs: u64,
    /// The number of refusals.
    pub refusals: u64,
    /// What more than half of the refusals have in common.
    pub pattern: Option<Pattern<'a>>,
}

/// What a group of refusals has in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Pattern<'a> {
    /// The number of these refusals.
    pub count: u64,
    /// Code of the cause; null if they differ.
    pub cause: Option<Cow<'a, str>>,
    /// The programs in the way; empty if they differ or are unknown.
    pub holders: Cow<'a, str>,
    /// The pattern in a sentence.
    pub text: Cow<'a, str>,
}

/// A fingerprint on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Change<'a> {
    /// `new`, `still` or `gone`.
    pub fate: Cow<'a, str>,
    /// 16 hexadecimal digits that identify the fields below.
    pub fingerprint: Cow<'a, str>,
    /// Code of the cause.
    pub cause: Cow<'a, str>,
    /// The program that was refused.
    pub caller: Cow<'a, str>,
    /// The call, protocol, and port or path; `ephemeral` and `any` stand for ports.
    pub asked: Cow<'a, str>,
    /// The programs in the way; empty if none is known.
    pub holders: Cow<'a, str>,
    /// Refusals before.
    pub before: u64,
    /// Refusals after.
    pub after: u64,
    /// Refusals per run before.
    pub before_per_run: f64,
    /// Refusals per run after.
    pub after_per_run: f64,
}
