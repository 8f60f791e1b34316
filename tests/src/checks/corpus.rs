//! The rows of the field corpus that need only programs which setup installs.

use std::path::Path;

use anyhow::ensure;

use super::setting::Setting;
use crate::field::{Corpus, Outcome, Row, load, play_all};

/// Folder of the rows.
const FOLDER: &str = "tests/field";

/// Plays the rows that are marked `ci: yes`.
pub(super) fn rows(setting: Setting<'_>) -> anyhow::Result<()> {
    let folder = std::path::absolute(FOLDER)?;
    if !folder.is_dir() {
        setting.skipped.note("field corpus", "this machine has no copy of tests/field");
        return Ok(());
    }
    let rows = load(&folder)?;
    let chosen: Vec<&Row> = rows.iter().filter(|row| row.is_for_ci).collect();
    let corpus = Corpus {
        portbind: setting.portbind,
        backend: setting.backend,
        folder: &folder,
        installed: Path::new("/nonexistent"),
        shows_text: false,
    };
    let is_bad = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_) | Outcome::Skipped(_));
    let outcomes = play_all(&corpus, &chosen);
    let bad: Vec<&str> =
        outcomes.iter().filter(|(_, outcome)| is_bad(outcome)).map(|(name, _)| &**name).collect();
    ensure!(bad.is_empty(), "rows that failed or lack a program: {}", bad.join(", "));
    Ok(())
}
