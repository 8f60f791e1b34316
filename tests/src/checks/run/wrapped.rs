//! The command line of `portbind run` with a subject as the command, and its recording.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::checks::setting::Setting;
use crate::scratch::Scratch;

/// The program that contains all wrapped commands.
pub(super) fn test_program() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?)
}

/// `portbind run OPTIONS -- SUBJECT...`.
pub(in crate::checks) fn wrapped<I, A>(
    setting: Setting<'_>,
    options: &[&str],
    subject: I,
) -> anyhow::Result<Command>
where
    I: IntoIterator<Item = A>,
    A: AsRef<OsStr>,
{
    let mut command = Command::new(std::fs::canonicalize(setting.portbind)?);
    command.args(["run", "--backend", setting.backend]).args(options).arg("--");
    command.arg(test_program()?).arg("wrapped").args(subject);
    Ok(command)
}

/// A recording that is read after the command has ended.
pub(in crate::checks) struct Recording(Scratch);

impl Recording {
    pub(in crate::checks) fn new(name: &str) -> Self {
        Self(Scratch::new(&format!("{name}.jsonl")))
    }

    pub(in crate::checks) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(in crate::checks) fn option(&self) -> String {
        format!("--record={}", self.path().display())
    }

    /// Lines of one kind.
    pub(in crate::checks) fn lines(&self, kind: &str) -> anyhow::Result<Vec<Value>> {
        let text = std::fs::read_to_string(self.path())?;
        let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        Ok(lines?.into_iter().filter(|line| line["kind"] == kind).collect())
    }
}
