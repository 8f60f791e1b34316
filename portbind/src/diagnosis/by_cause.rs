//! The refusals of a run, grouped by cause for the summary at its end.

use std::collections::VecDeque;
use std::rc::Rc;

use jiff::Timestamp;

use crate::event::{Code, Ended, Outcome, Process, Refusal, Repeat};

/// Refusals kept whole; later ones are only counted.
const KEPT: usize = 1000;
/// Limit for the bytes of the kept refusals.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

/// Refusals of daemons kept whole.
const KEPT_OTHERS: usize = 20;

/// How many ends of processes without a refused bind are remembered.
const RECENT_ENDS: usize = 4096;

/// Refusals in the order in which they arrive.
#[derive(Debug, Default)]
pub struct ByCause {
    refusals: Vec<Rc<Refusal>>,
    bytes: usize,
    /// Refusals of each cause that are not kept whole, or that were only counted.
    more: Vec<(Code, u64)>,
    /// Refusals that were only counted, and whose cause is not known.
    uncaused: u64,
    /// Refusals of which nothing is known.
    lost: u64,
    /// Ends of refused processes.
    ends: Vec<Ended>,
    /// Ends of other processes: a refusal may be shown after the end of its process.
    recent_ends: VecDeque<Ended>,
    /// Refusals of daemons that no client of the command is known to have asked for.
    others: Vec<Rc<Refusal>>,
    /// The number of these refusals, with those that are not kept.
    others_count: u64,
}

/// Refusals with the same cause, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The cause.
    pub code: Code,
    /// Each refusal, and what its process did afterwards.
    pub refusals: Vec<(Rc<Refusal>, Outcome)>,
    /// The number of further refusals.
    pub more: u64,
}

impl Group {
    /// Number of refusals.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.more.saturating_add(self.refusals.len() as u64)
    }
}

impl ByCause {
    /// Adds a refusal.
    pub fn push(&mut self, refusal: &Rc<Refusal>) {
        if refusal.on_behalf.as_ref().is_some_and(|work| work.client.is_none()) {
            self.others_count = self.others_count.saturating_add(1);
            if self.others.len() < KEPT_OTHERS {
                self.others.push(Rc::clone(refusal));
            }
            return;
        }
        let is_its = |end: &Ended| end.pid == refusal.process.pid && end.time >= refusal.time;
        if let Some(place) = self.recent_ends.iter().position(is_its) {
            self.ends.extend(self.recent_ends.remove(place));
        }
        let bytes = refusal.bytes();
        if self.refusals.len() < KEPT && self.bytes + bytes <= KEPT_BYTES {
            self.bytes += bytes;
            self.refusals.push(Rc::clone(refusal));
        } else {
            self.add_more(refusal.cause.code, 1);
        }
    }

    /// Adds refusals that were only counted. If they were not compared, the cause of each may be another one than that
    /// of the last shown refusal.
    pub fn repeat(&mut self, repeat: &Repeat) {
        match repeat.cause.filter(|_| repeat.looked_at) {
            Some(code) => self.add_more(code, repeat.count),
            None => self.uncaused = self.uncaused.saturating_add(repeat.count),
        }
    }

    /// Adds counted refusals of a daemon that no client of the command is known to have asked for.
    pub const fn repeat_of_others(&mut self, repeat: &Repeat) {
        self.others_count = self.others_count.saturating_add(repeat.count);
    }

    /// The refusals of daemons that no client of the command is known to have asked for, and their number, which may be
    /// higher. They are in no group and in no other number.
    #[must_use]
    pub fn others(&self) -> (&[Rc<Refusal>], u64) {
        (&self.others, self.others_count)
    }

    /// Adds refusals that were lost.
    pub const fn lose(&mut self, count: u64) {
        self.lost = self.lost.saturating_add(count);
    }

    fn add_more(&mut self, code: Code, count: u64) {
        match self.more.iter_mut().find(|(known, _)| *known == code) {
            Some((_, more)) => *more = more.saturating_add(count),
            None => self.more.push((code, count)),
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

    /// Number of refusals: those of all groups, those without a known cause, and those that were lost.
    #[must_use]
    pub fn count(&self) -> u64 {
        let more = self.more.iter().map(|(_, count)| *count);
        let counts = more.chain([self.refusals.len() as u64, self.uncaused, self.lost]);
        counts.fold(0, u64::saturating_add)
    }

    /// Number of refusals that were lost.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
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
                None => groups.push(Group { code: refusal.cause.code, refusals: vec![entry], more: 0 }),
            }
        }
        for &(code, more) in &self.more {
            match groups.iter_mut().find(|group| group.code == code) {
                Some(group) => group.more = more,
                None => groups.push(Group { code, refusals: Vec::new(), more }),
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.count()));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::samples;

    fn repeat(refusal: &Refusal, count: u64, looked_at: bool, cause: Option<Code>) -> Repeat {
        let Refusal { time, ref process, ref socket, .. } = *refusal;
        let (process, socket) = (Rc::clone(process), socket.clone());
        Repeat {
            time,
            first: time,
            last: time,
            refused: Some(time),
            count,
            looked_at,
            process,
            socket,
            cause,
        }
    }

    #[test]
    fn the_total_has_all_refusals() {
        let (listener, time_wait) = (Rc::new(samples::listener()), Rc::new(samples::time_wait()));
        let mut by_cause = ByCause::default();
        (0..2 * KEPT).for_each(|_| by_cause.push(&listener));
        by_cause.push(&time_wait);
        let code = Some(listener.cause.code);
        by_cause.repeat(&repeat(&listener, 500, true, code));
        by_cause.repeat(&repeat(&listener, 12_000, false, code));
        by_cause.repeat(&repeat(&listener, 30, true, None));
        by_cause.lose(4);
        let groups = by_cause.groups(listener.time);
        let counts: Vec<(Code, u64)> = groups.iter().map(|group| (group.code, group.count())).collect();
        assert_eq!(counts, [(listener.cause.code, 2500), (time_wait.cause.code, 1)]);
        assert_eq!((by_cause.count(), by_cause.lost()), (2501 + 12_030 + 4, 4));
    }
}
