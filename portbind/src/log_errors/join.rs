//! A log error, and the refused bind of a recording that it is about.

use std::net::IpAddr;
use std::rc::Rc;

use jiff::SignedDuration;

use super::log_error::Complaint;
use crate::wire::Refusal;

/// A log error, and what the recordings contain about it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Match {
    /// The log error.
    pub complaint: Complaint,
    /// The matching refused bind, or why there is none.
    pub join: Result<Join, Reason>,
}

impl Match {
    /// A log error without any recordings.
    #[must_use]
    pub const fn without_recording(complaint: Complaint) -> Self {
        Self { complaint, join: Err(Reason::NoRecording) }
    }
}

/// The refused bind that a log error is about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Join {
    /// The refused bind.
    pub refusal: Rc<Refusal<'static>>,
    /// The port or path matches.
    pub by_target: bool,
    /// The program's name matches.
    pub by_program: bool,
    /// The process id matches.
    pub by_pid: bool,
    /// The time from the refused bind to the log line; `None` if the two were matched by their order.
    pub apart: Option<SignedDuration>,
    /// The number of refused binds that could match.
    pub candidates: u64,
}

/// Why a log error has no matching refused bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No recording was given.
    NoRecording,
    /// The recordings contain no refused bind of this port, path or program.
    NoneLikeIt,
    /// The recordings contain refused binds of this port, but of another address than the line names: this one.
    OtherAddress(IpAddr),
    /// The recordings contain such refused binds, but none at that time. The nearest was this long before the line.
    NotThen(SignedDuration),
    /// The line names neither port nor program, and several refused binds are possible.
    Ambiguous(u64),
}

impl Reason {
    /// The JSON value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRecording => "no-recording",
            Self::NoneLikeIt => "none-like-it",
            Self::OtherAddress(_) => "other-address",
            Self::NotThen(_) => "not-then",
            Self::Ambiguous(_) => "ambiguous",
        }
    }
}
