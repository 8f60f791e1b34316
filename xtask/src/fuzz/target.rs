//! One target, and one run of the fuzzer on it.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::{tool, workspace};

/// The environment variable with the target's name: `TARGET_VARIABLE` in fuzz/src/lib.rs.
const VARIABLE: &str = "PORTBIND_FUZZ_TARGET";
/// Time limit per input in seconds: a thousand times the usual time, for a machine under load.
const HANG: u64 = 10;
/// Memory limit of the fuzzer in MiB.
const MEMORY: u64 = 512;
/// Lines of the log that are shown if a target fails.
const SHOWN: usize = 12;

/// A target of fuzz/src/lib.rs.
#[derive(Debug)]
pub(super) struct Target {
    /// Its name.
    pub(super) name: String,
}

/// The outcome of a run of the fuzzer.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    executions: u64,
    a_second: u64,
    memory: u64,
    edges: u64,
    inputs: u64,
    failed: bool,
}

impl Target {
    pub(super) fn new(name: String) -> Self {
        Self { name }
    }

    /// The corpus in the repository.
    pub(super) fn corpus(&self) -> PathBuf {
        workspace::root().join("fuzz/corpus").join(&self.name)
    }

    /// The inputs found by earlier runs on this machine.
    pub(super) fn findings(&self) -> PathBuf {
        workspace::target().join("fuzz").join(&self.name)
    }

    /// The fuzzer's command for this target; temporary files are below `scratch`.
    pub(super) fn command(&self, program: &Path, scratch: &Path) -> Command {
        let mut cmd = Command::new(program);
        cmd.env(VARIABLE, &self.name).env("TMPDIR", scratch).env_remove("RUST_BACKTRACE");
        cmd.arg(format!("-timeout={HANG}")).arg(format!("-rss_limit_mb={MEMORY}"));
        cmd.stdin(Stdio::null());
        cmd
    }

    /// Fuzzes for this time, or until the target fails.
    pub(super) fn fuzz(&self, program: &Path, time: Duration, scratch: &Path) -> Result<Outcome> {
        let (found, log) = (self.findings(), self.findings().with_extension("log"));
        let crashes = workspace::target().join("fuzz/crashes");
        for folder in [&found, &crashes] {
            fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
        }
        let output = File::create(&log).with_context(|| format!("failed to write {}", log.display()))?;
        let errors = output.try_clone().with_context(|| format!("failed to write {}", log.display()))?;
        let mut cmd = self.command(program, scratch);
        cmd.arg(format!("-max_total_time={}", time.as_secs())).arg("-print_final_stats=1");
        cmd.arg(format!("-artifact_prefix={}/{}-", crashes.display(), self.name));
        let dictionary = workspace::root().join("fuzz/dictionaries").join(&self.name);
        if dictionary.exists() {
            cmd.arg(format!("-dict={}", dictionary.display()));
        }
        cmd.arg(&found).arg(self.corpus()).stdout(output).stderr(errors);
        let status = cmd.status().with_context(|| format!("failed to run {cmd:?}"))?;
        let text = fs::read(&log).with_context(|| format!("failed to read {}", log.display()))?;
        let text = String::from_utf8_lossy(&text);
        let outcome = Outcome { failed: !status.success(), ..Outcome::read(&text) };
        if outcome.failed {
            self.explain(&text, &log);
        } else {
            ensure!(outcome.executions > 0, "{}: nothing was executed, see {}", self.name, log.display());
        }
        Ok(outcome)
    }

    /// Shows why the target failed, and how to reproduce it.
    fn explain(&self, log: &str, path: &Path) {
        let lines: Vec<&str> = log.lines().collect();
        let is_first = |line: &&str| {
            line.contains("panicked at")
                || line.contains("ERROR: libFuzzer")
                || line.contains("internal error")
        };
        let first = lines.iter().position(is_first).unwrap_or(0);
        println!("{} failed ({}):", self.name, path.display());
        for line in lines.iter().skip(first).take(SHOWN) {
            println!("    {line}");
        }
        let written = lines.iter().find_map(|line| line.split_once("Test unit written to "));
        if let Some((_, input)) = written {
            println!("to see it again: cargo xtask fuzz --target {} --replay {input}", self.name);
        }
    }
}

/// Runs one target with one input.
pub(super) fn replay(program: &Path, targets: &[Target], input: &Path, scratch: &Path) -> Result<()> {
    let [target] = targets else { anyhow::bail!("an input is of one target; name one") };
    tool::run(target.command(program, scratch).env("RUST_BACKTRACE", "1").arg(input))
}

impl Outcome {
    /// Whether the target crashed, hung, or took too much memory.
    pub(super) const fn failed(&self) -> bool {
        self.failed
    }

    /// Parses the last lines of the log: `stat::NAME: NUMBER`, and `cov:` and `corp:` in lines that begin with `#`.
    fn read(log: &str) -> Self {
        let number = |text: &str| {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
        };
        let stat = |name: &str| {
            let line = log.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name));
            line.map_or(0, |line| number(line.trim_start_matches(':').trim_start()))
        };
        let progress = |name: &str| {
            let mut lines = log.lines().rev().filter(|line| line.starts_with('#'));
            let found = lines.find_map(|line| line.split_once(name));
            found.map_or(0, |(_, rest)| number(rest.trim_start()))
        };
        Self {
            executions: stat("number_of_executed_units"),
            a_second: stat("average_exec_per_sec"),
            memory: stat("peak_rss_mb"),
            edges: progress(" cov:"),
            inputs: progress(" corp:"),
            failed: false,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, a_second, memory, edges, inputs, failed } = self;
        write!(f, "{executions:>11} {a_second:>10} {edges:>7} {inputs:>8} {memory:>5} MiB")?;
        f.write_str(if *failed { "   FAILED" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_end_of_a_log() {
        let log = "#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 30Mb\n\
            #6754\tDONE   cov: 1720 ft: 3943 corp: 273/961b lim: 6 exec/s: 750 rss: 43Mb\n\
            ###### Recommended dictionary. ######\nDone 6754 runs in 9 second(s)\n\
            stat::number_of_executed_units: 6754\nstat::average_exec_per_sec:     750\nstat::peak_rss_mb:  43\n";
        let outcome = Outcome::read(log);
        assert_eq!((outcome.executions, outcome.a_second, outcome.memory), (6754, 750, 43));
        assert_eq!((outcome.edges, outcome.inputs), (1720, 273));
    }
}
