//! A run of tracing: reads the ring buffer until told to stop, and closes the account.

mod account;
mod descriptors;
mod enrich;
mod known_ports;
mod looks;
mod netns_names;
mod processes;
mod recent;
mod repeats;
mod seeds;
mod sink;
pub(super) mod source;

use std::collections::VecDeque;
use std::time::Duration;

use portbind_ebpf::abi::{MAX_ALIKE, counter};
use tokio::io::unix::AsyncFd;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use self::enrich::Enricher;
use self::repeats::Repeats;
use self::sink::written;
pub(super) use self::sink::{End, Sink};
use crate::diagnosis::event::{Account, Ended, Ending, LostBy, Release};
use crate::diagnosis::history::History;
use crate::error::Error;
use crate::host::clock::boot_time;
use crate::kernel::alike;
use crate::kernel::assemble::Evidence;
use crate::kernel::debug::DebugLines;
use crate::kernel::evidence;
use crate::kernel::record::Record;
use crate::kernel::tracer::Tracer;
use crate::sys::poll;
use crate::sys::ring::Ring;

/// How long a refusal waits for the bind that opened its holder to be told: on two CPUs the order can
/// turn round, and a system call's success is seen at its end only.
const LATE_OPENING: Duration = Duration::from_millis(5);
/// Records that are read before anything else gets its turn.
const RECORDS_AT_ONCE: usize = 256;
/// How often the loss counter, and the ring buffer, are looked at while nothing else happens.
const LOSS_CHECK: Duration = Duration::from_secs(1);

/// Parties that are named as those whose refusals were lost.
const MOST_LOST_BY: usize = 8;

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

/// What a run depends on, besides what is traced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Say nothing on stderr but errors.
    pub(super) quiet: bool,
    /// Say what was tried and what is done without; from 2 on, every call.
    pub(super) verbose: u8,
    /// Stop after this many refusals.
    pub(super) count: Option<u64>,
    /// Moments in the life of ports that are remembered.
    pub(super) history_limit: usize,
}

impl Settings {
    /// Every bind and listen system call is told.
    pub(super) const fn wants_debug_lines(&self) -> bool {
        self.verbose > 1
    }
}

/// The ring buffer of a run.
pub(super) type Records = AsyncFd<Ring>;

/// Opens the ring buffer of a run.
pub(super) fn records(tracer: &Tracer) -> Result<Records, Error> {
    poll::watch(tracer.take_records()?)
        .map_err(|source| Error::System { doing: "cannot wait for the ring buffer", source })
}

/// A run of tracing.
pub(super) struct Session<S> {
    settings: Settings,
    tracer: Tracer,
    sink: S,
    enricher: Enricher,
    /// Refusals whose holder has no known opener yet, and how long each waits for it.
    waiting: VecDeque<(Instant, Evidence)>,
    begin: Instant,
    /// Refusals read from the ring buffer.
    read: u64,
    account: Account,
    lost: u64,
    repeats: Repeats,
}

impl<S: Sink> Session<S> {
    /// Announces that tracing has begun.
    pub(super) fn start(settings: Settings, tracer: Tracer, sink: S) -> Result<Self, Error> {
        let mut session = Self {
            settings,
            enricher: Enricher::new(&tracer, settings.history_limit),
            tracer,
            sink,
            waiting: VecDeque::new(),
            begin: Instant::now(),
            read: 0,
            account: Account::default(),
            lost: 0,
            repeats: Repeats::new(),
        };
        if settings.wants_debug_lines() {
            session.follow_debug_lines();
        }
        session.announce()?;
        session.enricher.plan_seeding();
        Ok(session)
    }

    fn status(&self, text: &str) {
        if !self.settings.quiet {
            anstream::eprintln!("portbind: {text}");
        }
    }

    fn announce(&mut self) -> Result<(), Error> {
        if self.settings.verbose > 0 {
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
        match lines.and_then(|lines| poll::watch(lines).map_err(|error| error.to_string())) {
            Ok(lines) => drop(tokio::spawn(write_debug_lines(lines))),
            Err(reason) => self.status(&format!("there are no debug lines: {reason}")),
        }
    }

    /// Tells what happens until `stop` is ready.
    pub(super) async fn follow(
        &mut self,
        records: &mut Records,
        stop: impl Future<Output = ()>,
    ) -> Result<End, Error> {
        let mut stop = std::pin::pin!(stop);
        let far = Instant::now() + Duration::from_secs(365 * 24 * 3600);
        let mut loss_check = tokio::time::interval(LOSS_CHECK);
        let mut has_more = false;
        loss_check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if self.is_full() {
                return Ok(End::Asked);
            }
            let opening = self.waiting.front().map_or(far, |(until, _)| *until);
            let due = self.enricher.next_due().map_or(far, |left| Instant::now() + left);
            tokio::select! {
                biased;
                () = &mut stop => return Ok(End::Asked),
                ready = records.readable_mut() => {
                    let source = |source| Error::System { doing: "cannot wait for the ring buffer", source };
                    let mut ready = ready.map_err(source)?;
                    match self.drain(ready.get_inner_mut())? {
                        Drained::Empty => ready.clear_ready(),
                        Drained::More => {}
                        Drained::Ended(end) => return Ok(end),
                    }
                }
                () = sleep_until(due) => {}
                () = sleep_until(opening) => {}
                _ = loss_check.tick() => {
                    // What need not be read at once comes without waking anybody.
                    has_more = true;
                    self.check_loss()?;
                    if let Some(end) = self.show_repeats()? {
                        return Ok(end);
                    }
                }
                () = yield_now(), if has_more => match self.drain(records.get_mut())? {
                    Drained::Empty => has_more = false,
                    Drained::More => {}
                    Drained::Ended(end) => return Ok(end),
                },
                // Not at once: what is ready is looked at only when the task has given way.
                () = yield_now(), if self.enricher.has_more_to_seed() => self.enricher.seed_one(),
            }
            if let Some(end) = self.show_waiting(Instant::now())? {
                return Ok(end);
            }
            self.tracer.await_ends(self.enricher.awaits_ends())?;
            let free = self.enricher.due();
            if let Some(end) = self.show_releases(free)? {
                return Ok(end);
            }
        }
    }

    /// Tells what is in the ring buffer by now.
    pub(super) fn catch_up(&mut self, records: &mut Records) -> Result<(), Error> {
        while self.drain(records.get_mut())? == Drained::More {}
        Ok(())
    }

    /// The processes of the wrapped command that live.
    pub(super) fn family(&self) -> Vec<u32> {
        self.tracer.family()
    }

    /// What is known of the life of ports.
    pub(super) const fn history(&self) -> &History {
        self.enricher.history()
    }

    /// Where the run tells what it sees.
    pub(super) const fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    fn is_full(&self) -> bool {
        self.settings.count.is_some_and(|count| self.account.shown >= count)
    }

    /// Reads what is in the ring buffer, up to a limit.
    fn drain(&mut self, records: &mut Ring) -> Result<Drained, Error> {
        for _ in 0..RECORDS_AT_ONCE {
            let Some(bytes) = records.next_record() else { return Ok(Drained::Empty) };
            let record = match Record::parse(bytes) {
                Ok(record) => record,
                Err(error) => {
                    self.status(&format!("the kernel half and the user half disagree: {error}"));
                    continue;
                }
            };
            let mut free = Vec::new();
            match record {
                Record::Introduction(record) => self.enricher.introduced(record),
                Record::Bound(record) => self.enricher.bound(record),
                Record::Change(record) => free = self.enricher.changed(record),
                Record::Ended(record) => written(self.sink.ended(Ended {
                    time: self.enricher.wall_time(record.header.time),
                    pid: evidence::pid(&record.header),
                    ending: Ending::of_wait_status(record.status),
                }))
                .map(drop)?,
                _ => {}
            }
            if record.is_refusal() {
                self.read += 1;
            }
            let refusal = Evidence::of(record);
            let end = match (self.show_releases(free)?, refusal) {
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
        let end = written(self.sink.refusal(&refusal))?;
        if end.is_none() {
            self.account.shown += 1;
            self.repeats.shown(alike::of(&evidence.refusal), &refusal);
            self.enricher.shown(&refusal, self.tracer.backend);
        }
        Ok(end)
    }

    /// Shows how many refusals were only counted since the last time.
    fn show_repeats(&mut self) -> Result<Option<End>, Error> {
        let now = self.enricher.wall_time(boot_time());
        let clock = self.enricher.clock();
        let (alike, others) = (self.tracer.counted_alike(), self.tracer.not_looked_at());
        let alike = alike.iter().map(|more| self.repeats.alike(more, now, &clock));
        let mut repeats: Vec<_> = alike.collect();
        repeats.extend(others.iter().map(|more| self.repeats.not_looked_at(more, now, &clock)));
        repeats.sort_by_key(|repeat| repeat.first);
        for repeat in repeats {
            self.account.coalesced += repeat.count;
            if let Some(end) = written(self.sink.repeat(&repeat))? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn check_loss(&mut self) -> Result<(), Error> {
        let lost = self.tracer.count(counter::LOST)?;
        if lost > self.lost {
            let uids: Vec<_> =
                self.lost_by().iter().map(|by| format!("{} (uid {})", by.lost, by.uid)).collect();
            let of = if uids.is_empty() { String::new() } else { format!("; in all {}", uids.join(", ")) };
            self.status(&format!(
                "{} refusals lost: more kinds of them came than can be counted at once ({MAX_ALIKE}){of}",
                lost - self.lost
            ));
            self.lost = lost;
        }
        Ok(())
    }

    /// Whose refusals were lost, most first: of not more parties than a line has room for.
    fn lost_by(&self) -> Vec<LostBy> {
        let lost = self.tracer.lost_by_party().into_iter().take(MOST_LOST_BY);
        lost.map(|(party, lost)| LostBy { uid: party.owner, cgroup_id: party.cgroup, lost }).collect()
    }
}

async fn write_debug_lines(mut lines: AsyncFd<DebugLines>) {
    while let Ok(mut ready) = lines.readable_mut().await {
        ready.get_inner_mut().flush();
        ready.clear_ready();
    }
}
