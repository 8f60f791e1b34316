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

/// All that is told of some recordings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Where the lines came from; empty for a run that goes on.
    pub files: Vec<FileNotes>,
    /// Time of the first and of the last refusal.
    pub period: Option<(Timestamp, Timestamp)>,
    /// Counts of everything.
    pub totals: Totals,
    /// By cause, the most frequent first.
    pub causes: Ranked<CauseRow>,
    /// By class of port, the most frequent first.
    pub classes: Vec<(Class, u64)>,
    /// By what was asked for, the most frequent first.
    pub ports: Ranked<PortRow>,
    /// By who was refused by whom, the most frequent first.
    pub pairs: Ranked<PairRow>,
    /// Refusals whose process lived on as if nothing had happened.
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
    /// Its name.
    pub name: Foreign,
    /// Lines that were understood.
    pub lines: u64,
    /// Lines that were not.
    pub skipped: Skipped,
}

/// Counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Refusals that were told.
    pub refusals: u64,
    /// Refusals that were told as part of an earlier one.
    pub coalesced: u64,
    /// Refusals that were lost.
    pub lost: u64,
    /// Refusals that their process did not report.
    pub swallowed: u64,
    /// Sockets that outlived their command.
    pub leaks: u64,
    /// Commands that were run.
    pub runs: u64,
}

/// A cause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CauseRow {
    /// Its code.
    pub code: Foreign,
    /// How many refusals.
    pub count: u64,
    /// The sentence of the first of them.
    pub summary: Foreign,
    /// A remedy of the first of them that had one; one that lasts where there is one.
    pub fix: Option<Fix>,
}

/// Something that was refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PortRow {
    /// What was asked for.
    pub place: Place,
    /// Name of its network namespace.
    pub netns_name: Option<Foreign>,
    /// How many refusals.
    pub count: u64,
    /// Time of the first and of the last.
    pub period: (Timestamp, Timestamp),
    /// Who held it when, and where the refusals fell.
    pub timeline: Timeline,
    /// The refusals that are alike together, the most frequent first.
    pub groups: Ranked<Group>,
}

/// Who was refused by whom.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PairRow {
    /// Who was refused.
    pub refused: Side,
    /// Who held it; `None` where nobody was found.
    pub by: Option<Side>,
    /// How many refusals.
    pub count: u64,
    /// Code of the cause of the first of them.
    pub cause: Foreign,
    /// What was asked for at first.
    pub place: Place,
}
