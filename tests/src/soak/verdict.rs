//! Checks whether all conditions held.

use anyhow::Context as _;

use super::sample::Sample;
use super::tally::{Ordered, Reported, Summary};
use crate::tracer::Ended;

/// Maximum private memory of portbind in KiB.
const MEMORY: u64 = 24 * 1024;
/// Maximum growth from the second to the last quarter in KiB, both by their medians.
const GROWTH: u64 = 2 * 1024;
/// Refusals that may be late: the capacity of the queue (1 MiB, `queue` in the summary).
const QUEUED: u64 = 3000;
/// Pids that are listed in a message about missing refusals.
const NAMED: usize = 8;

/// The measurements of a soak.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) ordered: Ordered,
    pub(super) reported: Reported,
    /// One sample per second; the first is from before the load.
    pub(super) samples: Vec<Sample>,
    /// The sample after the load.
    pub(super) last: Sample,
    /// Size of the written file in bytes.
    pub(super) file: u64,
    /// The most refusals that were late.
    pub(super) late: u64,
}

impl Verdict {
    /// Prints the measurements and the failed conditions; returns whether all conditions held.
    pub(super) fn report(&self, ended: &Ended) -> anyhow::Result<bool> {
        let summary = self.reported.summary.as_ref().context("portbind wrote no summary")?;
        self.print(summary);
        let mut complaints = self.account(summary);
        complaints.extend(self.lines(summary));
        complaints.extend(self.resources(summary));
        if !ended.status.success() {
            complaints.push(format!("portbind ended with {}: {}", ended.status, ended.stderr.join("; ")));
        }
        for complaint in &complaints {
            println!("FAILED: {complaint}");
        }
        if complaints.is_empty() {
            println!("held: each refusal is accounted for, memory and descriptors are bounded");
        }
        Ok(complaints.is_empty())
    }

    fn print(&self, summary: &Summary) {
        let Ordered { processes, reused, by_kind, .. } = &self.ordered;
        let mut kinds: Vec<_> = by_kind.iter().collect();
        kinds.sort();
        println!("{:<28} {:>9}", "refusals, by kind", "count");
        for (kind, count) in kinds {
            println!("  {kind:<26} {count:>9}");
        }
        let Summary { refused, shown, coalesced, filtered, lost, .. } = summary;
        let most = self.samples.iter().map(|sample| sample.memory).max().unwrap_or(0);
        for (name, number) in [
            ("refusals of the load", self.ordered.refused()),
            ("processes", *processes),
            ("pids used again at once", *reused),
            ("refused", *refused),
            ("= shown", *shown),
            ("+ coalesced", *coalesced),
            ("+ filtered", *filtered),
            ("+ lost", *lost),
            ("passed over by the kernel", summary.passed_over),
            ("reported late, at most", self.late),
            ("bytes written", self.file),
            ("memory at most, KiB", most),
            ("memory, 2nd quarter, KiB", self.median(1)),
            ("memory, last quarter, KiB", self.median(3)),
            ("descriptors, begin", self.samples.first().map_or(0, |sample| sample.descriptors)),
            ("descriptors, end", self.last.descriptors),
            ("threads, end", self.last.threads),
        ] {
            println!("{name:<28} {number:>9}");
        }
    }

    /// The summary's counts add up to the number of the load's refusals.
    fn account(&self, summary: &Summary) -> Vec<String> {
        let mut complaints = Vec::new();
        let own = summary.shown + summary.coalesced + summary.lost;
        if own + summary.filtered != summary.refused {
            complaints.push(format!("the parts are not the whole: {summary:?}"));
        }
        // Calls that the kernel missed, or whose return was missed, cannot be counted.
        let unseen = summary.passed_over + summary.returns_missed;
        let ordered = self.ordered.refused();
        if own > ordered || own + unseen < ordered {
            complaints.push(format!("{ordered} refusals of the load, and {own} in the account"));
        }
        complaints
    }

    /// The written lines match the summary and the load, process by process.
    fn lines(&self, summary: &Summary) -> Vec<String> {
        let mut complaints = Vec::new();
        let written = (self.reported.shown, self.reported.repeated);
        if written != (summary.shown, summary.coalesced) {
            complaints.push(format!("{written:?} are written as shown and coalesced: {summary:?}"));
        }
        let unseen = summary.lost + summary.passed_over + summary.returns_missed;
        if self.late > unseen + QUEUED {
            complaints.push(format!("{} refusals were not reported for too long", self.late));
        }
        let reported = |pid| self.reported.by_pid.get(pid).copied().unwrap_or(0);
        let mut wrong: Vec<String> = Vec::new();
        for (pid, &ordered) in &self.ordered.by_pid {
            let reported = reported(pid);
            if reported > ordered || reported + unseen < ordered {
                wrong.push(format!("{pid}: {reported} of {ordered}"));
            }
        }
        let strangers = self.reported.by_pid.keys().filter(|pid| !self.ordered.by_pid.contains_key(pid));
        wrong.extend(strangers.map(|pid| format!("{pid}: {} of 0", reported(pid))));
        if !wrong.is_empty() {
            let count = wrong.len();
            wrong.truncate(NAMED);
            complaints
                .push(format!("refusals of {count} pids are not reported exactly: {}", wrong.join(", ")));
        }
        complaints
    }

    fn resources(&self, summary: &Summary) -> Vec<String> {
        let mut complaints = Vec::new();
        let most = self.samples.iter().map(|sample| sample.memory).max().unwrap_or(0);
        let (before, after) = (self.median(1), self.median(3));
        if most > MEMORY {
            complaints.push(format!("{most} KiB of memory, at most {MEMORY} are allowed"));
        }
        if after > before + GROWTH {
            complaints.push(format!("memory grew from {before} to {after} KiB"));
        }
        for cache in summary.caches.iter().filter(|cache| cache.bytes > cache.limit) {
            complaints.push(format!("{} has {} bytes, more than {}", cache.name, cache.bytes, cache.limit));
        }
        let begin = self.samples.first().copied().unwrap_or_default();
        if self.last.descriptors > begin.descriptors || self.last.threads > begin.threads + 2 {
            complaints.push(format!("at the beginning {begin}, in the end {}", self.last));
        }
        complaints
    }

    /// The median memory of a quarter of the time, numbered from 0.
    fn median(&self, quarter: usize) -> u64 {
        let (from, to) = (self.samples.len() * quarter / 4, self.samples.len() * (quarter + 1) / 4);
        let mut memory: Vec<u64> =
            self.samples.get(from..to).unwrap_or_default().iter().map(|sample| sample.memory).collect();
        memory.sort_unstable();
        memory.get(memory.len() / 2).copied().unwrap_or(0)
    }
}
