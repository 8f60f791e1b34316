//! The resources that portbind uses at one moment.

use std::fmt;
use std::fs;

use anyhow::Context as _;

/// One sample of a process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    /// Private memory in KiB: `RssAnon` in `/proc/PID/status` (proc_pid_status(5)).
    pub(super) memory: u64,
    /// Open descriptors.
    pub(super) descriptors: u64,
    /// Threads.
    pub(super) threads: u64,
}

impl Sample {
    /// Samples a process.
    pub(super) fn take(pid: u32) -> anyhow::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).context("portbind has ended")?;
        let number = |key: &str| -> anyhow::Result<u64> {
            let value =
                status.lines().find_map(|line| line.strip_prefix(key)).with_context(|| key.to_owned())?;
            Ok(value.trim().trim_end_matches(" kB").parse()?)
        };
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
        Ok(Self {
            memory: number("RssAnon:")?,
            descriptors: u64::try_from(descriptors)?,
            threads: number("Threads:")?,
        })
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory, descriptors, threads } = self;
        write!(f, "{memory} KiB, {descriptors} descriptors, {threads} threads")
    }
}
