//! What the load has ordered, and what portbind has written.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

/// What the load says.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    /// Refusals of all processes that had this pid.
    pub(super) by_pid: HashMap<u32, u64>,
    /// Refusals of each kind of process.
    pub(super) by_kind: HashMap<String, u64>,
    /// Processes.
    pub(super) processes: u64,
    /// Processes that got the pid of one before them at once.
    pub(super) reused: u64,
    /// The load has ended.
    pub(super) is_complete: bool,
}

impl Ordered {
    /// Takes a line: `KIND PID COUNT` of each process, `reused`, and `end`.
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

    /// All refusals.
    pub(super) fn refused(&self) -> u64 {
        self.by_pid.values().sum()
    }
}

/// What portbind writes, read while it is written.
#[derive(Debug)]
pub(super) struct Reported {
    file: BufReader<File>,
    /// The start of a line whose end is not written yet.
    begun: Vec<u8>,
    /// Refusals of all processes that had this pid, shown or counted.
    pub(super) by_pid: HashMap<u32, u64>,
    /// Refusals that are shown.
    pub(super) shown: u64,
    /// Refusals that are counted in lines of repeats.
    pub(super) repeated: u64,
    /// The last line.
    pub(super) summary: Option<Summary>,
}

/// The part of a line that is looked at.
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

/// The account of the run.
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

/// What a cache holds, and what it may hold.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Cache {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) limit: u64,
}

impl Reported {
    /// Opens the file that portbind writes.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let (by_pid, begun) = (HashMap::new(), Vec::new());
        Ok(Self { file: BufReader::new(file), begun, by_pid, shown: 0, repeated: 0, summary: None })
    }

    /// Reads what was written since the last time.
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

    /// All refusals that are shown or counted.
    pub(super) fn all(&self) -> u64 {
        self.shown + self.repeated
    }
}
