//! Shows each refusal at once, or when its party gets a turn.

use std::time::Instant as Clock;

use tokio::time::Instant;

use super::error::Error;
use super::party::Party;
use super::queue::{Opening, Pending};
use super::run::{LATE_OPENING, MOST_WAITING, Run};
use super::sink::{End, Sink, written};

use crate::event::{Release, Repeat};
use crate::host::clock::boot_time;
use crate::kernel::assemble::Evidence;
use crate::kernel::{coalesce, evidence};
use crate::order::sort_by_key;

impl<S: Sink> Run<S> {
    /// Shows a refusal, or queues it if other refusals of its party are waiting, if the party has used its share of the
    /// work, or while the sink has no room.
    pub(super) fn take_in(&mut self, evidence: Evidence) -> Result<Option<End>, Error> {
        let pending = Pending { evidence, opening: Opening::MayCome };
        let party = self.parties.of(&pending.evidence.refusal.identity);
        let pid = evidence::pid(&pending.evidence.refusal.header);
        let is_next = !self.queue.has(party, pid) && self.parties.has_share_left(party, pid, Clock::now());
        if is_next && self.sink.has_room() {
            return self.show_for(party, pending);
        }
        self.wait_for_turn(party, pending);
        Ok(None)
    }

    /// Queues a refusal; refusals without room are counted.
    fn wait_for_turn(&mut self, party: Party, pending: Pending) {
        let pid = evidence::pid(&pending.evidence.refusal.header);
        for pending in self.queue.push(party, pid, pending) {
            self.only_count(&pending.evidence);
        }
    }

    /// Counts a refusal together with equal ones.
    pub(super) fn only_count(&mut self, evidence: &Evidence) {
        let time = self.enricher.wall_time(evidence.refusal.header.time);
        self.overflow.count(evidence, time);
    }

    /// Whether a queued refusal can be shown.
    pub(super) fn may_work(&self) -> bool {
        !self.queue.is_empty() && self.sink.has_room()
    }

    /// Shows queued refusals until `until`, at least one.
    pub(super) fn work_until(&mut self, until: Instant) -> Result<Option<End>, Error> {
        while self.may_work() {
            let Some((party, pending)) = self.queue.pop() else { break };
            let end = self.show_for(party, pending)?;
            if end.is_some() || Instant::now() >= until {
                return Ok(end);
            }
        }
        Ok(None)
    }

    /// Runs `work` for a party and charges the party for its time.
    pub(super) fn working_for<T>(&mut self, party: Party, pid: u32, work: impl FnOnce(&mut Self) -> T) -> T {
        let begin = Clock::now();
        let done = work(self);
        let end = Clock::now();
        let took = end.saturating_duration_since(begin);
        self.parties.charge(party, pid, took, end);
        self.queue.charge(party, took);
        done
    }

    fn show_for(&mut self, party: Party, pending: Pending) -> Result<Option<End>, Error> {
        let pid = evidence::pid(&pending.evidence.refusal.header);
        self.working_for(party, pid, |session| session.show(pending))
    }

    /// Moves the refusals that have waited for an opening until `now` to the queue.
    pub(super) fn end_waiting(&mut self, now: Instant) {
        while let Some((_, evidence)) = self.waiting.pop_front_if(|(until, _)| *until <= now) {
            let party = self.parties.of(&evidence.refusal.identity);
            self.wait_for_turn(party, Pending { evidence, opening: Opening::IsOverdue });
        }
    }

    pub(super) fn show_releases(&mut self, releases: Vec<Release>) -> Result<Option<End>, Error> {
        for release in releases {
            // An event about a freed port is not worth waiting for a slow reader.
            if self.sink.has_room()
                && let Some(end) = written(self.sink.release(&release))?
            {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// Describes a refusal and shows it, unless it has to wait for the bind that opened its holder.
    fn show(&mut self, pending: Pending) -> Result<Option<End>, Error> {
        let Pending { evidence, opening } = pending;
        if self.is_full() {
            self.account.filtered += 1;
            return Ok(None);
        }
        let gathered = self.enricher.gather(&evidence);
        let may_wait = opening == Opening::MayCome && self.waiting.len() < MOST_WAITING;
        if may_wait && gathered.lacks_opener() {
            self.waiting.push_back((Instant::now() + LATE_OPENING, evidence));
            return Ok(None);
        }
        let mut refusal = self.enricher.diagnose(&evidence, gathered, self.tracer.backend, self.lost);
        if !self.sink.wants(&mut refusal, &|| self.tracer.descendants()) {
            self.account.filtered += 1;
            return Ok(None);
        }
        let end = written(self.sink.refusal(&refusal))?;
        if end.is_some() {
            return Ok(end);
        }
        self.account.shown += 1;
        self.repeats.shown(coalesce::of(&evidence.refusal), &refusal);
        let free = self.enricher.shown(&refusal, self.tracer.backend);
        self.show_releases(free)
    }

    /// Shows how many refusals were only counted since the last call. There can be thousands of kinds, so each is
    /// described only when it is written.
    pub(super) fn show_repeats(&mut self) -> Result<Option<End>, Error> {
        let now = self.enricher.wall_time(boot_time());
        let clock = self.enricher.clock();
        let (mut counts, mut quotas) = (self.tracer.take_counts(), self.tracer.take_quotas());
        sort_by_key(&mut counts, |more| more.value.first);
        sort_by_key(&mut quotas, |more| more.value.first);
        self.counted += counts.iter().map(|more| more.count).sum::<u64>();
        self.counted += quotas.iter().map(|more| more.count).sum::<u64>();
        for more in &counts {
            let repeat = self.repeats.of_count(more, now, &clock);
            if let Some(end) = self.show_repeat(&repeat)? {
                return Ok(Some(end));
            }
        }
        for more in &quotas {
            let repeat = self.repeats.of_quota(more, now, &clock);
            if let Some(end) = self.show_repeat(&repeat)? {
                return Ok(Some(end));
            }
        }
        for (common, counted) in self.overflow.take() {
            let repeat = self.repeats.without_room(&common, &counted, now);
            if let Some(end) = self.show_repeat(&repeat)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn show_repeat(&mut self, repeat: &Repeat) -> Result<Option<End>, Error> {
        if !self.sink.wants_repeat(repeat) {
            self.account.filtered += repeat.count;
            return Ok(None);
        }
        self.account.coalesced += repeat.count;
        written(self.sink.repeat(repeat))
    }
}
