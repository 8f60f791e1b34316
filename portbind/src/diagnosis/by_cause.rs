//! The refusals of a run, grouped by cause for the summary at its end.

use std::collections::VecDeque;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use crate::event::{Code, Ended, Fix, Outcome, Process, Refusal, Repeat};
use crate::order::sort_by_key;

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

/// Groups; a further one is made only for a further cause, and other refusals are only counted.
const MOST_GROUPS: usize = 12;
/// The longest pause between two attempts of a process that belong together.
const NEXT_TRY: SignedDuration = SignedDuration::from_secs(1);

/// Refusals with the same cause and the same remedies, oldest first.
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

    /// Whether its first refusal is the next attempt of a process that another group has: a library that tries `[::]`
    /// and then `0.0.0.0`, a server that tries one port after the other.
    #[must_use]
    pub fn continues(&self, other: &Self) -> bool {
        self.refusals.first().is_some_and(|(next, _)| {
            other.refusals.iter().any(|(before, _)| {
                let pause = next.time.duration_since(before.time);
                next.process.pid == before.process.pid && pause <= NEXT_TRY && pause >= SignedDuration::ZERO
            })
        })
    }

    /// Whether a refusal has the cause and the remedies of this group. A free port is another one for each port.
    fn fits(&self, refusal: &Refusal) -> bool {
        let same = |one: &Fix, other: &Fix| (one.code, &one.command) == (other.code, &other.command);
        self.code == refusal.cause.code
            && self.refusals.first().is_some_and(|(first, _)| {
                let (one, other) = (&first.fixes, &refusal.fixes);
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
            })
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

    /// The groups, the largest first, each followed by those that continue it; `now` as in [`Outcome::of`].
    #[must_use]
    pub fn groups(&self, now: Timestamp) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for refusal in &self.refusals {
            let process: &Rc<Process> = &refusal.process;
            let outcome = Outcome::of(refusal.time, process, &self.ends, now);
            let entry = (Rc::clone(refusal), outcome);
            let code = refusal.cause.code;
            let is_left_out = groups.len() >= MOST_GROUPS && groups.iter().any(|group| group.code == code);
            match groups.iter_mut().find(|group| group.fits(refusal)) {
                Some(group) => group.refusals.push(entry),
                None if is_left_out => {}
                None => groups.push(Group { code, refusals: vec![entry], more: 0 }),
            }
        }
        for &(code, more) in &self.more {
            match groups.iter_mut().find(|group| group.code == code) {
                Some(group) => group.more = group.more.saturating_add(more),
                None => groups.push(Group { code, refusals: Vec::new(), more }),
            }
        }
        sort_by_key(&mut groups, |group| std::cmp::Reverse(group.count()));
        in_stories(groups)
    }
}

/// Moves each group behind the one that it continues, in the order of time.
fn in_stories(mut left: Vec<Group>) -> Vec<Group> {
    let mut ordered: Vec<Group> = Vec::with_capacity(left.len());
    let begin = |group: &Group| group.refusals.first().map(|(refusal, _)| refusal.time);
    while !left.is_empty() {
        let is_next = |group: &Group| ordered.last().is_some_and(|before| group.continues(before));
        let is_first =
            |group: &Group| !left.iter().any(|other| begin(other) < begin(group) && group.continues(other));
        let next = left.iter().enumerate().filter(|(_, group)| is_next(group));
        let next = next.min_by_key(|(_, group)| begin(group)).map(|(place, _)| place);
        let place = next.or_else(|| left.iter().position(is_first)).unwrap_or_default();
        ordered.push(left.remove(place));
    }
    ordered
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
    fn two_remedies_are_never_under_one_head_and_the_next_try_follows() {
        let at = |mut refusal: Refusal, millis, codes: &[&'static str]| {
            refusal.time += SignedDuration::from_millis(millis);
            refusal.fixes =
                codes.iter().map(|&code| Fix { code, text: String::new(), command: None }).collect();
            Rc::new(refusal)
        };
        let other = Rc::new(Process { pid: 7, ..Process::default() });
        let mut by_cause = ByCause::default();
        by_cause.push(&at(samples::listener(), 0, &["stop-holder"]));
        by_cause.push(&at(Refusal { process: other, ..samples::listener() }, 0, &["stop-unit"]));
        by_cause.push(&at(samples::listener(), 1, &["v6-only", "stop-holder"]));
        by_cause.push(&at(samples::listener(), 5000, &["stop-holder"]));
        let groups = by_cause.groups(samples::listener().time);
        let shown: Vec<_> =
            groups.iter().map(|group| (group.count(), group.refusals[0].0.fixes.len())).collect();
        assert_eq!(shown, [(2, 1), (1, 2), (1, 1)]);
        assert!(groups[1].continues(&groups[0]) && !groups[2].continues(&groups[1]));
        let mut many = ByCause::default();
        (0..40).for_each(|count| many.push(&at(samples::listener(), 0, &vec!["stop-holder"; count])));
        let groups = many.groups(samples::listener().time);
        assert_eq!(groups.len(), MOST_GROUPS);
        assert_eq!((groups.iter().map(Group::count).sum::<u64>(), many.count()), (12, 40));
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
