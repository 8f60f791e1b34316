//! The flaky test suite of docs/ci.md: `tests/flaky` in a separate folder under `portbind run`, and the recording.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use portbind::wire::{Holder, Refusal, Test};

use crate::programs;

/// The suite.
const FILES: [(&str, &str); 7] = [
    ("job.py", include_str!("../flaky/job.py")),
    ("server.py", include_str!("../flaky/server.py")),
    ("servers.py", include_str!("../flaky/servers.py")),
    ("sysctl.conf", include_str!("../flaky/sysctl.conf")),
    ("tests/test_load.py", include_str!("../flaky/tests/test_load.py")),
    ("tests/test_metrics.py", include_str!("../flaky/tests/test_metrics.py")),
    ("tests/test_orders.py", include_str!("../flaky/tests/test_orders.py")),
];
/// The files of the fix.
const FIX: [(&str, &str); 2] = [
    ("servers.py", include_str!("../flaky/fix/servers.py")),
    ("sysctl.conf", include_str!("../flaky/fix/sysctl.conf")),
];
/// The job in a separate network namespace, as in the guide.
pub const JOB: [&str; 4] = [programs::UNSHARE.path, "--net", programs::PYTHON.path, "job.py"];

/// The suite in a folder that is removed at the end.
#[derive(Debug)]
pub struct Suite {
    folder: PathBuf,
    runs: usize,
}

/// A series of runs in one state of the suite.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    first: usize,
    last: usize,
}

/// One run of the suite.
#[derive(Debug)]
pub struct Run {
    /// The job ended with status 0.
    pub is_green: bool,
    /// The output of the job.
    pub stdout: String,
    /// The output of portbind.
    pub stderr: String,
    /// The recording.
    recording: String,
}

/// A refusal between two tests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clash {
    /// The test of the caller.
    pub refused: String,
    /// The test that had the port.
    pub holder: String,
    /// The cause.
    pub cause: String,
}

impl Suite {
    /// A fresh copy.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let name = format!("portbind-tests-{}-flaky", std::process::id());
        let suite = Self { folder: std::env::temp_dir().join(name), runs: 0 };
        std::fs::create_dir_all(suite.folder.join("tests"))?;
        suite.write(&FILES)?;
        Ok(suite)
    }

    /// Applies the fix.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn fix(&self) -> anyhow::Result<()> {
        self.write(&FIX)
    }

    fn write(&self, files: &[(&str, &str)]) -> anyhow::Result<()> {
        for (name, text) in files {
            std::fs::write(self.folder.join(name), text).with_context(|| (*name).to_owned())?;
        }
        Ok(())
    }

    /// Runs the job this many times; each run must be explained.
    ///
    /// # Errors
    ///
    /// If a run is not explained, or cannot be started.
    pub fn run_series(
        &mut self,
        portbind: &Path,
        backend: &str,
        times: usize,
    ) -> anyhow::Result<(Series, Vec<Run>)> {
        let first = self.runs + 1;
        let mut runs = Vec::new();
        for number in 1..=times {
            let run = self.run(portbind, backend, &["--ci", "none"])?;
            run.is_explained().with_context(|| format!("run {number}"))?;
            runs.push(run);
        }
        Ok((Series { first, last: self.runs }, runs))
    }

    /// The output of `portbind compare` for two series.
    ///
    /// # Errors
    ///
    /// If `compare` finds something new, or cannot be run.
    pub fn compare(&self, portbind: &Path, before: Series, after: Series) -> anyhow::Result<String> {
        let mut command = Command::new(std::path::absolute(portbind)?);
        command.args(["compare", "--color", "never"]).args(before.recordings()).arg("--");
        command.args(after.recordings()).current_dir(&self.folder).stdin(Stdio::null());
        let output = command.output().with_context(|| format!("{}", portbind.display()))?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "compare ended with {}:\n{stderr}", output.status);
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs the job under portbind.
    ///
    /// # Errors
    ///
    /// If the job cannot be run, or ends with an unexpected status.
    fn run(&mut self, portbind: &Path, backend: &str, options: &[&str]) -> anyhow::Result<Run> {
        self.runs += 1;
        let record = self.folder.join(recording(self.runs));
        let mut command = Command::new(std::path::absolute(portbind)?);
        command
            .args(["run", "--backend", backend, "--color", "never", "--track-connects", "--record"])
            .arg(&record);
        command.args(options).arg("--").args(JOB).current_dir(&self.folder).stdin(Stdio::null());
        let output = command.output().with_context(|| format!("{}", portbind.display()))?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_green = match output.status.code() {
            Some(0) => true,
            Some(1) => false,
            _ => bail!("the job ended with {}:\n{stderr}", output.status),
        };
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(Run { is_green, stdout, stderr, recording: std::fs::read_to_string(&record)? })
    }
}

impl Series {
    fn recordings(self) -> impl Iterator<Item = String> {
        (self.first..=self.last).map(recording)
    }
}

/// The name of the recording of a run.
fn recording(run: usize) -> String {
    format!("{run}.jsonl")
}

impl Drop for Suite {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

impl Run {
    /// The tests that failed according to the job's output.
    #[must_use]
    pub fn failed(&self) -> BTreeSet<&str> {
        self.stdout.lines().filter_map(|line| line.strip_prefix("FAILED ")?.split(' ').next()).collect()
    }

    /// The refusals that portbind recorded, each between two tests.
    ///
    /// # Errors
    ///
    /// If one of them lacks a test.
    pub fn clashes(&self) -> anyhow::Result<Vec<Clash>> {
        let lines = self.recording.lines().filter(|line| line.contains("\"kind\":\"refusal\""));
        lines.map(|line| Clash::read(line).with_context(|| line.to_owned())).collect()
    }

    /// Fails unless each failed test is explained by a refusal of its own, and nothing else was refused.
    ///
    /// # Errors
    ///
    /// If a failed test is not explained, or another test was refused.
    pub fn is_explained(&self) -> anyhow::Result<()> {
        let clashes = self.clashes()?;
        let refused: BTreeSet<&str> = clashes.iter().map(|clash| clash.refused.as_str()).collect();
        let failed = self.failed();
        ensure!(refused == failed, "failed: {failed:?}, refused: {refused:?}\n{}", self.stderr);
        ensure!(failed.is_empty() == self.is_green, "green: {}, failed: {failed:?}", self.is_green);
        for test in clashes.iter().flat_map(|clash| [&clash.refused, &clash.holder]) {
            ensure!(
                self.stderr.contains(&format!("test {test} (gw")),
                "{test} is not shown:\n{}",
                self.stderr
            );
        }
        Ok(())
    }
}

impl Clash {
    fn read(line: &str) -> anyhow::Result<Self> {
        let refusal: Refusal<'_> = serde_json::from_str(line)?;
        let refused = refusal.process.test.and_then(|test| test.name).context("no test was refused")?;
        let holders = refusal.holders.into_iter().filter(|holder| holder.conflicts);
        let mut tests = holders.flat_map(tests).filter_map(|test| test.name);
        let holder = tests.next().context("no test had the port")?;
        Ok(Self {
            refused: refused.into_owned(),
            holder: holder.into_owned(),
            cause: refusal.cause.code.into_owned(),
        })
    }
}

/// The tests that have the holder open. A connection may be closed before portbind searches for its owner; then the
/// process that made it or closed it first is known.
fn tests(holder: Holder<'_>) -> impl Iterator<Item = Test<'_>> {
    let open = holder.processes.into_iter().map(|process| process.test);
    open.chain(holder.opened_by.into_iter().chain(holder.left_by).map(|opener| opener.test)).flatten()
}
