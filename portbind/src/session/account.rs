//! The end of a run: shows the remaining events and accounts for every refusal.

use std::time::Duration;

use portbind_abi::counter;
use tokio::time::Instant;

use super::bounded::Usage;
use super::error::Error;
use super::run::{Drained, LATE_OPENING, Records, Run};
use super::sink::{End, Sink, written};
use crate::event::{Account, Cache, Gaps, Summary};
use crate::kernel::assemble::Evidence;
use crate::kernel::record::Record;
use crate::sys::ring::Ring;

/// Time limit for the last records after the programs are detached.
const LAST_RECORDS: Duration = Duration::from_millis(250);
/// Time limit for writing the last line.
const LAST_LINE: Duration = Duration::from_millis(150);

impl<S: Sink> Run<S> {
    /// Detaches, shows the remaining events as far as time permits, and accounts for every refusal.
    pub(super) async fn close(&mut self, records: &mut Records, end: End) -> Result<(), Error> {
        let elapsed = self.begin.elapsed();
        let deadline = Instant::now() + self.settings.last_words;
        // The remaining time is for writing.
        let described = Instant::now() + self.settings.last_words * 3 / 4;
        let passed_over = self.tracer.passed_over();
        self.tracer.detach();
        if end == End::ClosedPipe {
            return Ok(());
        }
        let kept_back = self.read_the_last(records, described).await?;
        let unread = self.count_the_rest(records.get_mut());
        let cut_off = unread + self.show_the_last(described).await?;
        self.account.filtered += kept_back;
        // A refusal counted in the moment in which its counter was removed is lost.
        let uncounted = self.account.refused.saturating_sub(self.read + kept_back + self.counted);
        self.sink.lost(uncounted + self.overflow.lost);
        let unwritten = self.sink.finish(self.settings.last_words, deadline).await;
        self.account.shown = self.account.shown.saturating_sub(unwritten);
        self.account.lost = uncounted + self.overflow.lost + unwritten;
        let gaps = self.gaps(passed_over)?;
        self.report_gaps(&gaps);
        self.report_cut_off(cut_off, unwritten);
        let Account { refused, shown, coalesced, filtered, lost } = self.account;
        self.sink.note(&format!(
            "{refused} refused = {shown} shown + {coalesced} coalesced + {filtered} filtered + {lost} lost in {:.1}s",
            elapsed.as_secs_f64(),
        ));
        // On a busy machine the time may be over by now. The account has its own time limit.
        let deadline = deadline.max(Instant::now()) + LAST_LINE;
        // A reader that did not read the events will not read another line either.
        if unwritten == 0 {
            let summary = Summary { account: self.account, gaps, caches: self.caches(), elapsed };
            written(self.sink.summary(&summary))?;
            self.sink.finish(self.settings.last_words, deadline).await;
        }
        written(self.sink.check()).map(drop)
    }

    /// Reads the ring buffer until `until`. Returns how many refusals the kernel half filtered.
    async fn read_the_last(&mut self, records: &mut Records, until: Instant) -> Result<u64, Error> {
        let settled = (Instant::now() + LAST_RECORDS).min(until);
        loop {
            // A sink whose reader is gone ends the run: no more events are shown.
            while Instant::now() < until && self.drain(records.get_mut())? == Drained::More {}
            self.account.refused = self.tracer.count(counter::REFUSED)?;
            self.lost = self.tracer.count(counter::LOST)?;
            let kept_back = self.tracer.count(counter::FILTERED)?;
            let counted = self.tracer.count(counter::COALESCED)?;
            // A program that was already running when it was detached may still be writing.
            let is_all = self.read + self.lost + kept_back + counted >= self.account.refused;
            if is_all || Instant::now() >= settled {
                return Ok(kept_back);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Counts the refusals still in the ring buffer: no more arrive, and no time is left to describe them. Returns
    /// their number.
    fn count_the_rest(&mut self, records: &mut Ring) -> u64 {
        let mut count = 0;
        while let Some(bytes) = records.next_record() {
            let Some(evidence) = Record::parse(bytes).ok().and_then(Evidence::of) else { continue };
            self.read += 1;
            if self.is_full() {
                self.account.filtered += 1;
            } else {
                self.only_count(&evidence);
                count += 1;
            }
        }
        count
    }

    /// Shows the waiting refusals until `until`. Returns how many refusals were only counted after that.
    async fn show_the_last(&mut self, until: Instant) -> Result<u64, Error> {
        self.end_waiting(Instant::now() + LATE_OPENING);
        while !self.queue.is_empty() && Instant::now() < until && !self.sink.is_in_haste() {
            if self.may_work() {
                self.work_until(until)?;
            } else {
                let left = until.saturating_duration_since(Instant::now());
                // The loop checks again, whether or not the time is over.
                let _woken = tokio::time::timeout(left, self.sink.changed()).await;
                written(self.sink.check())?;
            }
            self.end_waiting(Instant::now() + LATE_OPENING);
        }
        let mut cut_off = 0;
        while let Some((_, pending)) = self.queue.pop() {
            if self.is_full() {
                self.account.filtered += 1;
            } else {
                self.only_count(&pending.evidence);
                cut_off += 1;
            }
        }
        self.show_repeats()?;
        Ok(cut_off)
    }

    fn report_cut_off(&mut self, cut_off: u64, unwritten: u64) {
        if cut_off > 0 {
            self.sink
                .note(&format!("{cut_off} refusals only counted: the run ended before it was their turn"));
        }
        if unwritten > 0 {
            self.sink.note(&format!("{unwritten} refusals not written: nobody read them in time"));
        }
        let lost = self.overflow.lost;
        if lost > 0 {
            self.sink.note(&format!(
                "{lost} refusals lost: more kinds of them, of more processes, waited for their turn than can be \
                 counted at once"
            ));
        }
    }

    fn caches(&self) -> Vec<Cache> {
        let mut usage = self.enricher.usage();
        usage.extend(self.repeats.usage());
        usage.push(("queue", self.queue.usage()));
        let cache = |(name, usage): (&'static str, Usage)| {
            let Usage { bytes, limit, evicted } = usage;
            Cache { name, bytes, limit, evicted }
        };
        usage.into_iter().map(cache).collect()
    }

    fn gaps(&self, passed_over: u64) -> Result<Gaps, Error> {
        Ok(Gaps {
            lost_by: self.lost_by(),
            returns_missed: self.tracer.count(counter::LOST_ENTRIES)?,
            history_lost: self.tracer.count(counter::LOST_LIFE)?,
            history_evicted: self.enricher.history().evicted(),
            passed_over,
        })
    }

    fn report_gaps(&mut self, gaps: &Gaps) {
        let Gaps { returns_missed, passed_over, history_lost, history_evicted, .. } = gaps;
        if *returns_missed > 0 {
            self.sink
                .note(&format!("{returns_missed} calls in flight missed: refusals among them went unseen"));
        }
        if *history_lost > 0 {
            self.sink.note(&format!("{history_lost} moments of the history of ports lost"));
        }
        if *history_evicted > 0 {
            let limit = self.settings.history_limit;
            self.sink.note(&format!(
                "{history_evicted} moments of the history forgotten (--history-limit {limit})"
            ));
        }
        if *passed_over > 0 {
            self.sink.note(&format!(
                "{passed_over} calls passed over by the kernel: refusals among them went unseen"
            ));
        }
    }
}
