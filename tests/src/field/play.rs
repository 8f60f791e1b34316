//! Plays a row: starts the holder, runs the refused program under `portbind run`, and applies the first remedy.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::apart::apart;
use super::corpus::Corpus;
use super::row::Row;
use super::shown::Shown;
use super::verify;
use crate::programs::{self, PATH};
use crate::scratch::Folder;

/// How often a condition is checked.
const PAUSE: Duration = Duration::from_millis(10);
/// Lines of a log that a failure shows.
const TAIL: usize = 25;

/// One row in its folder.
struct Scene<'a> {
    corpus: &'a Corpus<'a>,
    row: &'a Row,
    folder: Folder,
    deadline: Instant,
}

/// Plays a row in namespaces of its own; an error says what is not as the row demands.
pub(crate) fn play(corpus: &Corpus<'_>, row: &Row) -> anyhow::Result<()> {
    let folder = Folder::new(&format!("field-{}", row.name), 0)?;
    let deadline = Instant::now() + Duration::from_secs(row.limit);
    let scene = Scene { corpus, row, folder, deadline };
    let result = apart(|| scene.play());
    result.map_err(|error| error.context(scene.logs()))
}

impl Scene<'_> {
    fn play(&self) -> anyhow::Result<()> {
        let mut holder = self.start_holder()?;
        let shown = self.refuse()?;
        if self.corpus.shows_text {
            println!("--- {}\n{}", self.row.name, shown.text);
        }
        let refusal = verify::find(self.row, &shown)?;
        if self.row.first.is_some() {
            let remedy = refusal.pointer("/fixes/0/command").and_then(Value::as_str).unwrap_or_default();
            let mut step = self.step("fixed")?;
            step.env("REMEDY", remedy).stdin(Stdio::null());
            let status = self.wait("fixed", &mut self.logged(step, "fixed")?)?;
            ensure!(status.success(), "the program did not start after the first remedy: {status}");
        }
        // The holder's shell ends with its standard input.
        drop(holder.stdin.take());
        self.wait("holder", &mut holder).map(drop)
    }

    /// Starts the holder, and waits until it is ready. Its shell stays above it, as the shell of a user would.
    fn start_holder(&self) -> anyhow::Result<Child> {
        let mut step = self.step("holder")?;
        step.stdin(Stdio::piped());
        let mut child = self.logged(step, "holder")?;
        let ready = self.folder.at("holder.ready");
        while !ready.exists() {
            if let Some(status) = child.try_wait()? {
                bail!("the holder did not start: {status}");
            }
            self.pause("holder")?;
        }
        Ok(child)
    }

    /// Runs the refused program.
    fn refuse(&self) -> anyhow::Result<Shown> {
        let recording = self.folder.at("run.jsonl");
        let step = self.step("refused")?;
        let mut command = Command::new(self.corpus.portbind);
        command.args(["run", "--backend", self.corpus.backend, "--record"]).arg(&recording).arg("--");
        command.arg(step.get_program()).args(step.get_args());
        self.surround(&mut command).stdin(Stdio::null());
        self.wait("refused", &mut self.logged(command, "refused")?)?;
        let lines = fs::read_to_string(&recording).context("portbind recorded nothing")?;
        let lines: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let refusals = lines.into_iter().filter(|line| line["kind"] == "refusal").collect();
        Ok(Shown { refusals, text: self.log("refused") })
    }

    /// A command that runs one function of the row.
    fn step(&self, function: &str) -> anyhow::Result<Command> {
        let mut command = programs::BASH.command()?;
        command.arg(self.corpus.folder.join("lib.sh")).arg(&self.row.path).arg(function);
        self.surround(&mut command);
        Ok(command)
    }

    fn surround<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let installed = self.corpus.installed.display();
        let path = format!("{installed}/venv/bin:{installed}/node_modules/.bin:{PATH}");
        command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8").current_dir(self.folder.path());
        command.env("W", self.folder.path()).env("HOME", self.folder.path());
        command.env("FIELD", self.corpus.installed)
    }

    /// Starts a command whose output goes to a log.
    fn logged(&self, mut command: Command, name: &str) -> anyhow::Result<Child> {
        let log = File::options().create(true).append(true).open(self.log_path(name))?;
        command.stdout(log.try_clone()?).stderr(log);
        command.spawn().with_context(|| format!("{command:?}"))
    }

    fn wait(&self, what: &str, child: &mut Child) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if let Err(late) = self.pause(what) {
                child.kill()?;
                child.wait()?;
                return Err(late);
            }
        }
    }

    fn pause(&self, what: &str) -> anyhow::Result<()> {
        ensure!(Instant::now() < self.deadline, "`{what}` was not done after {} s", self.row.limit);
        std::thread::sleep(PAUSE);
        Ok(())
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.folder.at(&format!("{name}.log"))
    }

    fn log(&self, name: &str) -> String {
        let bytes = fs::read(self.log_path(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The ends of the logs.
    fn logs(&self) -> String {
        let tail = |name: &str| {
            let text = self.log(name);
            let lines: Vec<&str> = text.lines().collect();
            let last = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
            format!("--- {name}\n{}", last.join("\n"))
        };
        ["holder", "refused", "fixed"].map(tail).join("\n")
    }
}
