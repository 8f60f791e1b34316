//! A run of `portbind trace`: reads the ring buffer until told to stop, and closes the account.

use std::collections::VecDeque;
use std::future::ready;
use std::io;
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use portbind_ebpf::abi::counter;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::Args;
use super::enrich::Enricher;
use super::sink::Sink;
use crate::diagnosis::event::{Account, Gaps, Release};
use crate::error::{Error, ExitStatus};
use crate::host::clock::boot_time;
use crate::kernel::assemble::{Assembler, Evidence, PATIENCE_NS};
use crate::kernel::debug::DebugLines;
use crate::kernel::record::Record;
use crate::kernel::ring;
use crate::kernel::tracer::Tracer;
use crate::output::Summary;

/// How long the last records may take after the programs are detached.
const LAST_RECORDS: Duration = Duration::from_millis(250);
/// How long a refusal waits for the bind that opened its holder to be told: on two CPUs the order can
/// turn round, and a system call's success is seen at its end only.
const LATE_OPENING: Duration = Duration::from_millis(5);
/// Records that are read before anything else gets its turn.
const RECORDS_AT_ONCE: usize = 256;
/// How often the loss counter is looked at while nothing else happens.
const LOSS_CHECK: Duration = Duration::from_secs(1);

/// What was left in the ring buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drained {
    /// Nothing.
    Empty,
    /// Maybe more.
    More,
    /// The run is to end.
    Ended(End),
}

/// Whether the bind that opened a holder may still be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// It may be on its way.
    MayCome,
    /// It has been waited for.
    IsOverdue,
}

/// Why a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// A signal, a limit.
    Asked,
    /// The reader of stdout is gone.
    ClosedPipe,
}

struct Session<'a> {
    args: &'a Args,
    tracer: Tracer,
    sink: Sink,
    enricher: Enricher,
    assembler: Assembler,
    /// Refusals whose holder has no known opener yet, and how long each waits for it.
    waiting: VecDeque<(Instant, Evidence)>,
    /// Refusals read from the ring buffer.
    read: u64,
    account: Account,
    lost: u64,
}

/// Traces until a signal, a limit or a closed pipe ends it.
pub(super) async fn run(args: &Args, tracer: Tracer, sink: Sink) -> Result<ExitStatus, Error> {
    let system = |doing| move |source| Error::System { doing, source };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("cannot handle SIGINT"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(system("cannot handle SIGTERM"))?;
    let mut records =
        ring::watch(tracer.take_records()?).map_err(system("cannot wait for the ring buffer"))?;
    let mut session = Session {
        args,
        enricher: Enricher::new(&tracer, args.history_limit),
        tracer,
        sink,
        assembler: Assembler::default(),
        waiting: VecDeque::new(),
        read: 0,
        account: Account::default(),
        lost: 0,
    };
    if args.wants_debug_lines() {
        session.follow_debug_lines();
    }
    session.announce()?;
    session.enricher.plan_seeding();
    let begin = Instant::now();
    let end = session.follow(&mut records, &mut interrupt, &mut terminate).await?;
    session.close(&mut records, end, begin.elapsed()).await
}

impl Session<'_> {
    fn status(&self, text: &str) {
        if !self.args.quiet {
            anstream::eprintln!("portbind: {text}");
        }
    }

    fn announce(&mut self) -> Result<(), Error> {
        if self.args.verbose > 0 {
            for (backend, error) in &self.tracer.refused {
                self.status(&format!("{} cannot be used: {error}", backend.as_str()));
            }
            if let Some(fallback) = self.enricher.fallback() {
                self.status(&format!("owners of sockets are looked up in /proc: {fallback}"));
            }
        }
        for shows in &self.tracer.missing {
            self.status(&format!("this kernel has no hook for {shows}"));
        }
        written(self.sink.begin())?;
        let backend = self.tracer.backend;
        let blind = backend.blind_to().map_or_else(String::new, |what| format!("; it does not see {what}"));
        self.status(&format!("tracing with {}{blind}; Ctrl-C ends it", backend.as_str()));
        Ok(())
    }

    /// Writes debug lines as they come, beside everything else.
    fn follow_debug_lines(&self) {
        let lines = self.tracer.debug_lines().map_err(|error| error.to_string());
        match lines.and_then(|lines| ring::watch_lines(lines).map_err(|error| error.to_string())) {
            Ok(lines) => drop(tokio::spawn(write_debug_lines(lines))),
            Err(reason) => self.status(&format!("there are no debug lines: {reason}")),
        }
    }

    async fn follow(
        &mut self,
        records: &mut AsyncFd<RingBuf<MapData>>,
        interrupt: &mut Signal,
        terminate: &mut Signal,
    ) -> Result<End, Error> {
        let far = Instant::now() + Duration::from_secs(365 * 24 * 3600);
        let deadline = self.args.timeout.as_ref().map_or(far, |timeout| Instant::now() + timeout.0);
        let mut loss_check = tokio::time::interval(LOSS_CHECK);
        loss_check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if self.is_full() {
                return Ok(End::Asked);
            }
            let patience = if self.assembler.is_empty() {
                far
            } else {
                Instant::now() + Duration::from_nanos(PATIENCE_NS)
            };
            let opening = self.waiting.front().map_or(far, |(until, _)| *until);
            let due = self.enricher.next_due().map_or(far, |left| Instant::now() + left);
            tokio::select! {
                biased;
                _ = interrupt.recv() => return Ok(End::Asked),
                _ = terminate.recv() => return Ok(End::Asked),
                () = sleep_until(deadline) => return Ok(End::Asked),
                ready = records.readable_mut() => {
                    let mut ready = ready.map_err(|source| Error::System { doing: "cannot wait for the ring buffer", source })?;
                    match self.drain(ready.get_inner_mut())? {
                        Drained::Empty => ready.clear_ready(),
                        Drained::More => {}
                        Drained::Ended(end) => return Ok(end),
                    }
                }
                () = sleep_until(patience) => {}
                () = sleep_until(due) => {}
                () = sleep_until(opening) => {}
                _ = loss_check.tick() => self.check_loss()?,
                () = ready(()), if self.enricher.has_more_to_seed() => self.enricher.seed_one(),
            }
            let old = self.assembler.take_overdue(boot_time());
            if let Some(end) = self.show_all(old)? {
                return Ok(end);
            }
            if let Some(end) = self.show_waiting(Instant::now())? {
                return Ok(end);
            }
            let free = self.enricher.due();
            if let Some(end) = self.show_releases(free)? {
                return Ok(end);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.args.count.is_some_and(|count| self.account.shown >= count)
    }

    /// Reads what is in the ring buffer, up to a limit.
    fn drain(&mut self, records: &mut RingBuf<MapData>) -> Result<Drained, Error> {
        for _ in 0..RECORDS_AT_ONCE {
            let Some(bytes) = records.next() else { return Ok(Drained::Empty) };
            let record = match Record::parse(&bytes) {
                Ok(record) => record,
                Err(error) => {
                    self.status(&format!("the kernel half and the user half disagree: {error}"));
                    continue;
                }
            };
            let mut free = Vec::new();
            match record {
                Record::Bound(record) => self.enricher.bound(record),
                Record::Change(record) => free = self.enricher.changed(record),
                _ => {}
            }
            if record.opens_a_refusal() {
                self.read += 1;
            }
            let complete = self.assembler.push(record);
            drop(bytes);
            let end = match (self.show_releases(free)?, complete) {
                (Some(end), _) => Some(end),
                (None, Some(evidence)) => self.show(evidence, Opening::MayCome)?,
                (None, None) => None,
            };
            if let Some(end) = end {
                return Ok(Drained::Ended(end));
            }
        }
        Ok(Drained::More)
    }

    /// Shows the refusals that have waited until `now`.
    fn show_waiting(&mut self, now: Instant) -> Result<Option<End>, Error> {
        let mut waited = Vec::new();
        while let Some((_, evidence)) = self.waiting.pop_front_if(|(until, _)| *until <= now) {
            waited.push(evidence);
        }
        self.show_all(waited)
    }

    fn show_all(&mut self, evidence: Vec<Evidence>) -> Result<Option<End>, Error> {
        for evidence in evidence {
            if let Some(end) = self.show(evidence, Opening::IsOverdue)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn show_releases(&mut self, releases: Vec<Release>) -> Result<Option<End>, Error> {
        for release in releases {
            if let Some(end) = written(self.sink.release(&release))? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// Describes a refusal and shows it, unless it is to wait for the bind that opened its holder.
    fn show(&mut self, evidence: Evidence, opening: Opening) -> Result<Option<End>, Error> {
        if self.is_full() {
            self.account.filtered += 1;
            return Ok(None);
        }
        let refusal = self.enricher.describe(&evidence, self.tracer.backend, self.lost);
        if opening == Opening::MayCome && refusal.lacks_opener() {
            self.waiting.push_back((Instant::now() + LATE_OPENING, evidence));
            return Ok(None);
        }
        let end = written(self.sink.event(&refusal))?;
        if end.is_none() {
            self.account.shown += 1;
            self.enricher.shown(&refusal);
        }
        Ok(end)
    }

    fn check_loss(&mut self) -> Result<(), Error> {
        let lost = self.tracer.count(counter::LOST)?;
        if lost > self.lost {
            self.status(&format!(
                "{} refusals lost: they came faster than they could be written",
                lost - self.lost
            ));
            self.lost = lost;
        }
        Ok(())
    }

    /// Detaches, reads what is left, and says how every refusal was accounted for.
    async fn close(
        mut self,
        records: &mut AsyncFd<RingBuf<MapData>>,
        end: End,
        elapsed: Duration,
    ) -> Result<ExitStatus, Error> {
        let passed_over = self.tracer.passed_over();
        self.tracer.detach();
        if end == End::ClosedPipe {
            return Ok(ExitStatus::Success);
        }
        let deadline = Instant::now() + LAST_RECORDS;
        loop {
            // Who reads events no more is told no more.
            while self.drain(records.get_mut())? == Drained::More {}
            self.account.refused = self.tracer.count(counter::REFUSED)?;
            self.lost = self.tracer.count(counter::LOST)?;
            let kept_back = self.tracer.count(counter::FILTERED)?;
            // A program that was already running when it was detached may still be writing.
            if self.read + self.lost + kept_back >= self.account.refused || Instant::now() >= deadline {
                let rest = self.assembler.take_all();
                self.show_waiting(Instant::now() + LATE_OPENING)?;
                self.show_all(rest)?;
                self.account.filtered += kept_back;
                self.account.lost = self.account.refused.saturating_sub(self.read + kept_back);
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
        Ok(ExitStatus::Success)
    }

    fn gaps(&self, passed_over: u64) -> Result<Gaps, Error> {
        Ok(Gaps {
            steps_lost: self.tracer.count(counter::LOST_STEPS)?,
            returns_missed: self.tracer.count(counter::LOST_ENTRIES)?,
            history_lost: self.tracer.count(counter::LOST_LIFE)?,
            history_evicted: self.enricher.history().evicted(),
            passed_over,
        })
    }

    fn tell_gaps(&self, gaps: &Gaps) {
        let Gaps { steps_lost, returns_missed, passed_over, history_lost, history_evicted } = gaps;
        if *steps_lost > 0 {
            self.status(&format!("{steps_lost} parts of shown refusals lost: some holders are missing"));
        }
        if *returns_missed > 0 {
            self.status(&format!("{returns_missed} calls in flight missed: refusals among them went unseen"));
        }
        if *history_lost > 0 {
            self.status(&format!("{history_lost} moments of the history of ports lost"));
        }
        if *history_evicted > 0 {
            let limit = self.args.history_limit;
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

/// A closed pipe ends a run quietly; any other error is one.
fn written(result: io::Result<()>) -> Result<Option<End>, Error> {
    match result {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Some(End::ClosedPipe)),
        Err(error) => Err(Error::Write(error)),
    }
}

async fn write_debug_lines(mut lines: AsyncFd<DebugLines>) {
    while let Ok(mut ready) = lines.readable_mut().await {
        ready.get_inner_mut().flush();
        ready.clear_ready();
    }
}
