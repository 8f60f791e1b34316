//! Which lines of a recording were skipped, and why.

use std::fmt;

/// Why a line was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Damage {
    /// The end is missing: its writer was interrupted. The next run may start in the same line.
    Torn,
    /// The line is not portbind's.
    Foreign,
    /// The line has another version of the schema.
    OtherVersion,
    /// The line is longer than [`MAX_LINE`](super::reader::MAX_LINE).
    TooLong,
    /// The line is not UTF-8.
    NotText,
    /// The line states a kind, but lacks fields of that kind.
    Malformed,
    /// The line has a kind that this version does not know, so a newer version wrote it.
    UnknownKind,
}

impl Damage {
    /// All kinds of damage.
    pub const ALL: [Self; 7] = [
        Self::Torn,
        Self::Foreign,
        Self::OtherVersion,
        Self::TooLong,
        Self::NotText,
        Self::Malformed,
        Self::UnknownKind,
    ];

    /// The JSON value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Torn => "torn",
            Self::Foreign => "foreign",
            Self::OtherVersion => "other_version",
            Self::TooLong => "too_long",
            Self::NotText => "not_text",
            Self::Malformed => "malformed",
            Self::UnknownKind => "unknown_kind",
        }
    }

    /// Whether the user should be informed. Lines of unknown kinds may be added within a version of the schema.
    #[must_use]
    pub const fn is_reported(self) -> bool {
        !matches!(self, Self::UnknownKind)
    }

    /// A phrase for one line, or for several.
    const fn words(self) -> &'static str {
        match self {
            Self::Torn => "torn: the end is missing",
            Self::Foreign => "not of portbind",
            Self::OtherVersion => "of another version of the schema: a newer portbind can read it",
            Self::TooLong => "too long",
            Self::NotText => "not UTF-8",
            Self::Malformed => "without what its kind has",
            Self::UnknownKind => "of an unknown kind",
        }
    }
}

/// Lines that were skipped for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The reason.
    pub damage: Damage,
    /// The number of lines.
    pub count: u64,
    /// Number of the first line.
    pub first: u64,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { damage, count, first } = *self;
        let words = damage.words();
        match count {
            1 => write!(f, "line {first} skipped, {words}"),
            _ => write!(f, "{count} lines skipped, the first is line {first}, {words}"),
        }
    }
}

/// All lines of a recording that were skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    notes: Vec<Note>,
}

impl Skipped {
    /// Counts a line.
    pub(super) fn note(&mut self, damage: Damage, number: u64) {
        match self.notes.iter_mut().find(|note| note.damage == damage) {
            Some(note) => note.count += 1,
            None => self.notes.push(Note { damage, count: 1, first: number }),
        }
    }

    /// One note per reason, in the order of their first lines.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// How many lines were skipped for `damage`.
    #[must_use]
    pub fn count(&self, damage: Damage) -> u64 {
        self.notes.iter().find(|note| note.damage == damage).map_or(0, |note| note.count)
    }
}
