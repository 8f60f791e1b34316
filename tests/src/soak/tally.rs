//! The refusals that the load made, and the refusals that portbind reported.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

/// The output of the load.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    /// Refusals by pid, for all processes that had the pid.
    pub(super) by_pid: HashMap<u32, u64>,
    /// Refusals by kind of process.
    pub(super) by_kind: HashMap<String, u64>,
    /// The number of processes.
    pub(super) processes: u64,
    /// Processes that immediately got the pid of an earlier process.
    pub(super) reused: u64,
    /// The load has ended.
    pub(super) is_complete: bool,
}

impl Ordered {
    /// Parses a line: `KIND PID COUNT` per process, `reused`, or `end`.
    pub(super) fn read(&mut self, line: &str) -> anyhow::Result<()> {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["end"] => self.is_complete = true,
            ["reused"] => self.reused += 1,
            [kind, pid, count] => {
                let (pid, count): (u32, u64) = (pid.parse()?, count.parse()?);
                *self.by_pid.entry(pid).or_default() += count;
                *self.by_kind.entry(kind.to_owned()).or_default() += count;
                self.processes += 1;
            }
            _ => bail!("the load says {line:?}"),
        }
        Ok(())
    }

    /// The number of all refusals.
    pub(super) fn refused(&self) -> u64 {
        self.by_pid.values().sum()
    }
}

/// The output of portbind, read while it is written.
#[derive(Debug)]
pub(super) struct Reported {
    file: BufReader<File>,
    /// The start of an incomplete line.
    begun: Vec<u8>,
    /// Refusals by pid, shown or counted, for all processes that had the pid.
    pub(super) by_pid: HashMap<u32, u64>,
    /// Refusals that were shown.
    pub(super) shown: u64,
    /// Refusals that were counted in repeat lines.
    pub(super) repeated: u64,
    /// The last line.
    pub(super) summary: Option<Summary>,
}

/// The parsed part of a line.
#[derive(Deserialize)]
struct Line {
    kind: String,
    process: Option<Process>,
    #[serde(default)]
    count: u64,
}

#[derive(Deserialize)]
struct Process {
    pid: u32,
}

/// The summary of the run.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Summary {
    pub(super) refused: u64,
    pub(super) shown: u64,
    pub(super) coalesced: u64,
    pub(super) filtered: u64,
    pub(super) lost: u64,
    pub(super) passed_over: u64,
    pub(super) returns_missed: u64,
    #[serde(default)]
    pub(super) caches: Vec<Cache>,
}

/// The size of a cache, and its limit.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Cache {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) limit: u64,
}

impl Reported {
    /// Opens the file to which portbind writes.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let (by_pid, begun) = (HashMap::new(), Vec::new());
        Ok(Self { file: BufReader::new(file), begun, by_pid, shown: 0, repeated: 0, summary: None })
    }

    /// Reads the new part of the file.
    pub(super) fn read(&mut self) -> anyhow::Result<()> {
        while self.file.read_until(b'\n', &mut self.begun)? > 0 {
            if self.begun.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.begun);
                self.line(&line).with_context(|| String::from_utf8_lossy(&line).into_owned())?;
            }
        }
        Ok(())
    }

    fn line(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let line: Line = serde_json::from_slice(bytes)?;
        let count = match &*line.kind {
            "refusal" => {
                self.shown += 1;
                1
            }
            "repeat" => {
                self.repeated += line.count;
                line.count
            }
            "summary" => {
                self.summary = Some(serde_json::from_slice(bytes)?);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let process = line.process.context("a refusal without a process")?;
        *self.by_pid.entry(process.pid).or_default() += count;
        Ok(())
    }

    /// All refusals that were shown or counted.
    pub(super) fn all(&self) -> u64 {
        self.shown + self.repeated
    }
}
