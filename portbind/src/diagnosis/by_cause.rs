//! The refusals of a run, grouped by cause for the summary at its end.

use std::collections::VecDeque;
use std::rc::Rc;

use jiff::Timestamp;

use crate::event::{Code, Ended, Outcome, Process, Refusal};

/// Refusals kept whole; later ones are only counted.
const KEPT: usize = 1000;
/// Limit for the bytes of the kept refusals.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

/// How many ends of processes without a refused bind are remembered.
const RECENT_ENDS: usize = 4096;

/// Refusals in the order in which they arrive.
#[derive(Debug, Default)]
pub struct ByCause {
    refusals: Vec<Rc<Refusal>>,
    bytes: usize,
    not_kept: u64,
    /// Ends of refused processes.
    ends: Vec<Ended>,
    /// Ends of other processes: a refusal may be shown after the end of its process.
    recent_ends: VecDeque<Ended>,
}

/// Refusals with the same cause, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The cause.
    pub code: Code,
    /// Each refusal, and what its process did afterwards.
    pub refusals: Vec<(Rc<Refusal>, Outcome)>,
}

impl ByCause {
    /// Adds a refusal.
    pub fn push(&mut self, refusal: &Rc<Refusal>) {
        let is_its = |end: &Ended| end.pid == refusal.process.pid && end.time >= refusal.time;
        if let Some(place) = self.recent_ends.iter().position(is_its) {
            self.ends.extend(self.recent_ends.remove(place));
        }
        let bytes = refusal.bytes();
        if self.refusals.len() < KEPT && self.bytes + bytes <= KEPT_BYTES {
            self.bytes += bytes;
            self.refusals.push(Rc::clone(refusal));
        } else {
            self.not_kept += 1;
        }
    }

    /// A process has ended.
    pub fn ended(&mut self, ended: Ended) {
        if self.refusals.iter().any(|refusal| refusal.process.pid == ended.pid) {
            self.ends.push(ended);
            return;
        }
        if self.recent_ends.len() >= RECENT_ENDS {
            self.recent_ends.pop_front();
        }
        self.recent_ends.push_back(ended);
    }

    /// Number of refusals.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.refusals.len() as u64 + self.not_kept
    }

    /// Number of refusals that are in no group, because a limit was reached.
    #[must_use]
    pub const fn not_kept(&self) -> u64 {
        self.not_kept
    }

    /// The groups, the largest first; `now` as in [`Outcome::of`].
    #[must_use]
    pub fn groups(&self, now: Timestamp) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for refusal in &self.refusals {
            let process: &Rc<Process> = &refusal.process;
            let outcome = Outcome::of(refusal.time, process, &self.ends, now);
            let entry = (Rc::clone(refusal), outcome);
            match groups.iter_mut().find(|group| group.code == refusal.cause.code) {
                Some(group) => group.refusals.push(entry),
                None => groups.push(Group { code: refusal.cause.code, refusals: vec![entry] }),
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.refusals.len()));
        groups
    }
}
