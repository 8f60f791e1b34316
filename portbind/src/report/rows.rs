//! The rows of a report.

use jiff::Timestamp;

use super::detail::{Fix, Group};
use super::foreign::Foreign;
use super::place::{Class, Place};
use super::ranked::Ranked;
use super::samples::{Leak, Run, Swallowed};
use super::side::Side;
use super::timeline::Timeline;
use crate::recording::Skipped;

/// The report of a set of recordings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The recordings; empty for a live run.
    pub files: Vec<FileNotes>,
    /// Time of the first and of the last refusal.
    pub period: Option<(Timestamp, Timestamp)>,
    /// The total counts.
    pub totals: Totals,
    /// Refusals by cause, the most frequent first.
    pub causes: Ranked<CauseRow>,
    /// Refusals by class of port, the most frequent first.
    pub classes: Vec<(Class, u64)>,
    /// Refusals by requested port or name, the most frequent first.
    pub ports: Ranked<PortRow>,
    /// Refusals by pair of caller and holder, the most frequent first.
    pub pairs: Ranked<PairRow>,
    /// Refusals whose process continued as if it had not been refused.
    pub swallowed: Ranked<Swallowed>,
    /// Sockets that outlived their command.
    pub leaks: Ranked<Leak>,
    /// Commands, in the order of the recordings.
    pub runs: Ranked<Run>,
}

/// A recording that was read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileNotes {
    /// The name of the file.
    pub name: Foreign,
    /// Number of lines that were read.
    pub lines: u64,
    /// Lines that were skipped.
    pub skipped: Skipped,
}

/// The total counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Refusals that were shown.
    pub refusals: u64,
    /// Refusals that were only counted.
    pub coalesced: u64,
    /// How many of them have a known cause.
    pub caused: u64,
    /// Refusals that were lost.
    pub lost: u64,
    /// Refusals that were not reported by their process.
    pub swallowed: u64,
    /// Sockets that outlived their command.
    pub leaks: u64,
    /// Commands that were run.
    pub runs: u64,
}

impl Totals {
    /// All refusals: shown, only counted, and lost.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.refusals.saturating_add(self.coalesced).saturating_add(self.lost)
    }
}

/// A cause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CauseRow {
    /// The code of the cause.
    pub code: Foreign,
    /// The number of refusals.
    pub count: u64,
    /// The summary of the first refusal.
    pub summary: Foreign,
    /// The remedy of the first refusal that had one, preferably a lasting remedy.
    pub fix: Option<Fix>,
}

/// A port or name with refusals.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PortRow {
    /// The requested port or name.
    pub place: Place,
    /// Name of the network namespace.
    pub netns_name: Option<Foreign>,
    /// The number of refusals.
    pub count: u64,
    /// Time of the first and of the last refusal.
    pub period: (Timestamp, Timestamp),
    /// The holders over time, and the refusals.
    pub timeline: Timeline,
    /// Equal refusals in groups, the most frequent first.
    pub groups: Ranked<Group>,
}

/// A caller and the holder in its way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PairRow {
    /// The caller.
    pub refused: Side,
    /// The holder; `None` if none was found.
    pub by: Option<Side>,
    /// The number of refusals.
    pub count: u64,
    /// Code of the cause of the first refusal.
    pub cause: Foreign,
    /// The port or name of the first refusal.
    pub place: Place,
}
