//! What verbs that read recordings share.

use std::path::Path;

use crate::error::Error;
use crate::escape;
use crate::recording::{self, Line};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AnswerFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Says something about the run on standard error.
pub(super) fn say(sentence: &str) {
    super::say::say(sentence);
}

/// Gives every line of a recording to `show`, and says what was skipped.
pub(super) fn each_line(path: &Path, mut show: impl FnMut(Line)) -> Result<(), Error> {
    let mut reader = recording::open(path)?;
    for line in reader.by_ref() {
        show(line.map_err(|source| recording::Error { path: path.to_owned(), source })?);
    }
    for note in reader.skipped().notes().iter().filter(|note| note.damage.is_told()) {
        say(&format!("{}: {note}", escape::path(path)));
    }
    Ok(())
}
