//! `portbind run`: the command loses nothing, and nothing of it is missed.

mod failures;
mod family;
mod state;
mod status;
mod surroundings;
mod sweep;
mod users;

pub(super) use failures::{
    empty_environment, few_descriptors, killed, small_files, unwritable_recording, unwritable_stderr,
};
pub(super) use family::{bystanders, daemons, leaks, swallowed};
pub(super) use state::{interrupted, nothing_is_lost, nothing_is_lost_in_a_terminal, signals};
pub(super) use status::{exit_statuses, without_tracing};
pub(super) use surroundings::{no_proc, small_stack};
pub(super) use sweep::every_call_fails_once;
pub(super) use users::{as_user, replaced_sudo, sudo, variables_of_nobody};

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Setting;
use crate::scratch::Scratch;

/// The program of which all subjects are parts.
fn subjects() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?)
}

/// `portbind run OPTIONS -- SUBJECT...`.
pub(super) fn wrapped<I, A>(setting: Setting<'_>, options: &[&str], subject: I) -> anyhow::Result<Command>
where
    I: IntoIterator<Item = A>,
    A: AsRef<OsStr>,
{
    let mut command = Command::new(std::fs::canonicalize(setting.portbind)?);
    command.args(["run", "--backend", setting.backend]).args(options).arg("--");
    command.arg(subjects()?).arg("subject").args(subject);
    Ok(command)
}

/// A recording that is read when the command has ended.
pub(super) struct Recording(Scratch);

impl Recording {
    pub(super) fn new(name: &str) -> Self {
        Self(Scratch::new(&format!("{name}.jsonl")))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn option(&self) -> String {
        format!("--record={}", self.path().display())
    }

    /// Lines of one kind.
    pub(super) fn lines(&self, kind: &str) -> anyhow::Result<Vec<Value>> {
        let text = std::fs::read_to_string(self.path())?;
        let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        Ok(lines?.into_iter().filter(|line| line["kind"] == kind).collect())
    }
}
