//! The end of a run: what is left is told, and every refusal accounted for.

use std::time::Duration;

use portbind_ebpf::abi::counter;
use tokio::time::Instant;

use super::{Drained, End, LATE_OPENING, Records, Session, Sink, written};
use crate::diagnosis::event::{Account, Gaps};
use crate::error::Error;
use crate::output::Summary;

/// How long the last records may take after the programs are detached.
const LAST_RECORDS: Duration = Duration::from_millis(250);

impl<S: Sink> Session<S> {
    /// Detaches, reads what is left, and says how every refusal was accounted for.
    pub(in crate::cli) async fn close(mut self, records: &mut Records, end: End) -> Result<S, Error> {
        let elapsed = self.begin.elapsed();
        let passed_over = self.tracer.passed_over();
        self.tracer.detach();
        if end == End::ClosedPipe {
            return Ok(self.sink);
        }
        let deadline = Instant::now() + LAST_RECORDS;
        loop {
            // Who reads events no more is told no more.
            while self.drain(records.get_mut())? == Drained::More {}
            self.account.refused = self.tracer.count(counter::REFUSED)?;
            self.lost = self.tracer.count(counter::LOST)?;
            let kept_back = self.tracer.count(counter::FILTERED)?;
            let counted = self.tracer.count(counter::COALESCED)?;
            // A program that was already running when it was detached may still be writing.
            if self.read + self.lost + kept_back + counted >= self.account.refused
                || Instant::now() >= deadline
            {
                self.show_waiting(Instant::now() + LATE_OPENING)?;
                self.show_repeats()?;
                self.account.filtered += kept_back;
                // What was counted at the moment when its count was given up is lost.
                let shown = self.read + kept_back + self.account.coalesced;
                self.account.lost = self.account.refused.saturating_sub(shown);
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let gaps = self.gaps(passed_over)?;
        self.tell_gaps(&gaps);
        let Account { refused, shown, coalesced, filtered, lost } = self.account;
        self.status(&format!(
            "{refused} refused = {shown} shown + {coalesced} coalesced + {filtered} filtered + {lost} lost in {:.1}s",
            elapsed.as_secs_f64(),
        ));
        written(self.sink.summary(&Summary::new(&self.account, &gaps, elapsed)))?;
        Ok(self.sink)
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

    fn tell_gaps(&self, gaps: &Gaps) {
        let Gaps { returns_missed, passed_over, history_lost, history_evicted, .. } = gaps;
        if *returns_missed > 0 {
            self.status(&format!("{returns_missed} calls in flight missed: refusals among them went unseen"));
        }
        if *history_lost > 0 {
            self.status(&format!("{history_lost} moments of the history of ports lost"));
        }
        if *history_evicted > 0 {
            let limit = self.settings.history_limit;
            self.status(&format!(
                "{history_evicted} moments of the history forgotten (--history-limit {limit})"
            ));
        }
        if *passed_over > 0 {
            self.status(&format!(
                "{passed_over} calls passed over by the kernel: refusals among them went unseen"
            ));
        }
    }
}
