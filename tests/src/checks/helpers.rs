//! What portbind's helper processes inherit from its caller.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::PipeWriter;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::Signal;

use super::confined::child_of;
use super::setting::Setting;
use super::support::{SOON, exited};
use crate::programs;
use crate::scratch::Scratch;
use crate::tracer::Tracer;

/// The broker and the helper that writes files inherit no descriptor of portbind's caller; the command of `run` does.
pub(super) fn inherit_nothing(setting: Setting<'_>) -> anyhow::Result<()> {
    let secret = Scratch::new("inherited");
    let file = File::create(secret.path())?;
    fcntl_setfd(&file, FdFlags::empty())?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let broker = child_of(tracer.pid(), "__broker")?.context("trace has no broker")?;
    ensure!(!has_open(broker, secret.path())?, "the broker has a file of the caller open");
    exited(&tracer.stop(Signal::INT)?, 0)?;
    let report = Scratch::new("inherited.html");
    let (run, pipe) = wait_in_run(setting, &["--report".as_ref(), report.path().as_os_str()])?;
    let writer = child_of(run.pid(), "__writer")?.context("run --report has no helper that writes")?;
    let command = child_of(run.pid(), "read")?.context("the command is not to be seen")?;
    ensure!(!has_open(writer, secret.path())?, "the helper that writes has a file of the caller open");
    ensure!(has_open(command, secret.path())?, "the command lacks a file of the caller");
    drop(pipe);
    exited(&run.end()?, 0)
}

/// The helper that opens the recording ends before the command runs, because it has no further task.
pub(super) fn recorder_ends(setting: Setting<'_>) -> anyhow::Result<()> {
    let record = Scratch::new("recorded.jsonl");
    let (run, pipe) = wait_in_run(setting, &["--record".as_ref(), record.path().as_os_str()])?;
    let writer = child_of(run.pid(), "__writer")?;
    ensure!(writer.is_none(), "the helper that writes lives on as {writer:?}");
    drop(pipe);
    exited(&run.end()?, 0)
}

/// A `run` whose command has started, and ends when the pipe is closed.
fn wait_in_run(setting: Setting<'_>, options: &[&OsStr]) -> anyhow::Result<(Tracer, PipeWriter)> {
    let mut command = Command::new(setting.portbind);
    command.args(["run", "-q", "--backend", setting.backend]).args(options);
    command.args(["--", programs::SH.path, "-c", "echo begun; read line; true"]);
    let (reader, writer) = std::io::pipe()?;
    let run = Tracer::spawn_between(&mut command, reader.into(), std::process::Stdio::piped())?;
    let has_begun = run.stdout.wait(SOON, |lines| lines.iter().any(|line| line == "begun"));
    ensure!(has_begun, "the command has not begun:\n{}", run.stderr.so_far().join("\n"));
    Ok((run, writer))
}

/// Whether a process has this file open.
fn has_open(pid: u32, path: &Path) -> anyhow::Result<bool> {
    let path = fs::canonicalize(path)?;
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        if fs::read_link(entry?.path()).is_ok_and(|link| link == path) {
            return Ok(true);
        }
    }
    Ok(false)
}
