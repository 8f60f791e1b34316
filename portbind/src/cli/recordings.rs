//! What the verbs that read recordings share.

use std::path::Path;

use super::error::Error;
use super::stderr;
use crate::escape;
use crate::host::Failed;
use crate::recording::{self, Line};
use crate::writer::Caller;

/// Drops to the rights of the user who called sudo: reading and writing files needs no others.
pub(super) fn give_up_root() -> Result<(), Error> {
    let given_up = Caller::of_process()?.replace_root();
    Ok(given_up.map_err(Failed::at("cannot take the rights of the caller"))?)
}

/// Passes every line of a recording to `show`, and reports what was skipped.
pub(super) fn each_line(path: &Path, mut show: impl FnMut(Line)) -> Result<(), Error> {
    let mut reader = recording::open(path)?;
    for line in reader.by_ref() {
        show(line.map_err(|source| recording::Error { path: path.to_owned(), source })?);
    }
    for note in reader.skipped().notes().iter().filter(|note| note.damage.is_reported()) {
        stderr::say(format_args!("{}: {note}", escape::path(path)));
    }
    Ok(())
}
