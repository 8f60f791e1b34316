//! A run of tracing: reads the ring buffer until told to stop, and closes the account.

mod account;
mod bounded;
mod descriptors;
mod enrich;
mod known_ports;
mod looks;
mod names_seen;
mod netns_names;
mod overflow;
mod party;
mod processes;
mod queue;
mod recent;
mod repeats;
mod rights;
mod seeds;
mod showing;
mod sink;
pub(super) mod source;

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use portbind_ebpf::abi::{MAX_ALIKE, MAX_SHARES, counter};
use tokio::io::unix::AsyncFd;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use self::enrich::Enricher;
use self::overflow::Overflow;
use self::party::Parties;
use self::queue::Queue;
use self::repeats::Repeats;
pub(super) use self::rights::require;
use self::sink::written;
pub(super) use self::sink::{End, Sink};
use super::outlet::{Outlet, Outlets};
use crate::cli::error::Error;
use crate::cli::stderr;
use crate::diagnosis::history::History;
use crate::event::{Account, Ended, Ending, LostBy};
use crate::host::confinement::Purpose;
use crate::host::{Accounts, Host};
use crate::kernel::assemble::Evidence;
use crate::kernel::debug::DebugLines;
use crate::kernel::evidence;
use crate::kernel::record::Record;
use crate::kernel::tracer::Tracer;
use crate::sys::code;
use crate::sys::poll;
use crate::sys::ring::Ring;

/// How long a refusal waits for the bind that opened its holder to be told: on two CPUs the order can
/// turn round, and a system call's success is seen at its end only.
const LATE_OPENING: Duration = Duration::from_millis(5);
/// Refusals that wait for it at once; those behind them are shown without.
const MOST_WAITING: usize = 256;
/// Records that are read before anything else gets its turn, and how long that may take.
const RECORDS_AT_ONCE: usize = 256;
const SLICE: Duration = Duration::from_millis(20);
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

/// What a run depends on, besides what is traced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// What this process is for: it gives up all else.
    pub(super) purpose: Purpose,
    /// Say nothing on stderr but errors.
    pub(super) quiet: bool,
    /// Say what was tried and what is done without; from 2 on, every call.
    pub(super) verbose: u8,
    /// Stop after this many refusals.
    pub(super) count: Option<u64>,
    /// Moments in the life of ports that are remembered.
    pub(super) history_limit: usize,
    /// How long the end of the run may take, with all that has not been shown or written by then.
    pub(super) last_words: Duration,
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
    /// Refusals that the kernel half only counted, and that are in the account.
    counted: u64,
    account: Account,
    lost: u64,
    repeats: Repeats,
    /// Refusals that wait for a turn.
    queue: Queue,
    parties: Parties,
    /// Refusals that found no room in the queue.
    overflow: Overflow,
    /// Standard error, which must not be waited for either.
    notes: Outlets,
    note: Outlet,
    debug_lines: Option<DebugLines>,
}

impl<S: Sink> Session<S> {
    /// Gives up what a run does not need, and announces that tracing has begun.
    pub(super) fn start(settings: Settings, host: Host, tracer: Tracer, sink: S) -> Result<Self, Error> {
        let mut notes = Outlets::default();
        let note = notes.add(io::stderr());
        let mut session = Self {
            settings,
            enricher: Enricher::new(host, &tracer, settings.history_limit),
            tracer,
            sink,
            waiting: VecDeque::new(),
            begin: Instant::now(),
            read: 0,
            counted: 0,
            account: Account::default(),
            lost: 0,
            repeats: Repeats::new(),
            queue: Queue::default(),
            parties: Parties::new(&Accounts::at(Path::new("/"))),
            overflow: Overflow::default(),
            notes,
            note,
            debug_lines: None,
        };
        if settings.wants_debug_lines() {
            session.follow_debug_lines();
        }
        rights::give_up(settings.purpose, settings.verbose > 0, |text| session.status(text))?;
        session.announce()?;
        session.enricher.plan_seeding();
        Ok(session)
    }

    /// Says something on standard error. Who closed it does not want to read it.
    fn status(&mut self, text: &str) {
        if !self.settings.quiet && self.notes.have_room() {
            let _said = self.note.write_all(stderr::lines(text).as_bytes()).and_then(|()| self.note.flush());
        }
    }

    fn announce(&mut self) -> Result<(), Error> {
        let mut texts = Vec::new();
        if self.settings.verbose > 0 {
            let refused = self.tracer.refused.iter();
            texts.extend(
                refused.map(|(backend, error)| format!("{} cannot be used: {error}", backend.as_str())),
            );
            let fallback = self.enricher.fallback();
            texts.extend(fallback.map(|why| format!("owners of sockets are looked up in /proc: {why}")));
        }
        texts.extend(self.tracer.missing.iter().map(|shows| format!("this kernel has no hook for {shows}")));
        for text in texts {
            self.status(&text);
        }
        written(self.sink.begin())?;
        let backend = self.tracer.backend;
        let blind = backend.blind_to().map_or_else(String::new, |what| format!("; it does not see {what}"));
        self.status(&format!("tracing with {}{blind}; Ctrl-C ends it", backend.as_str()));
        Ok(())
    }

    /// Has debug lines written as they come, beside everything else.
    fn follow_debug_lines(&mut self) {
        match self.tracer.debug_lines() {
            Ok(lines) => self.debug_lines = Some(lines),
            // Not by the thread that writes notes: a thread that runs before the capabilities are given up keeps them.
            Err(reason) => {
                stderr::say_unless(self.settings.quiet, format_args!("there are no debug lines: {reason}"));
            }
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
        code::let_go();
        loop {
            if self.is_full() {
                return Ok(End::Asked);
            }
            let opening = self.waiting.front().map_or(far, |(until, _)| *until);
            let due = self.enricher.next_due().map_or(far, |left| Instant::now() + left);
            tokio::select! {
                biased;
                () = &mut stop => return Ok(End::Asked),
                // Before what may always be ready: on a busy machine the ring buffer has something to read at every look.
                _ = loss_check.tick() => {
                    // What need not be read at once comes without waking anybody.
                    has_more = true;
                    self.check_loss()?;
                    if let Some(end) = self.show_repeats()? {
                        return Ok(end);
                    }
                }
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
                () = self.sink.outlets().changed() => {}
                texts = DebugLines::next(&mut self.debug_lines) => texts.iter().for_each(|text| self.status(text)),
                () = yield_now(), if has_more => match self.drain(records.get_mut())? {
                    Drained::Empty => has_more = false,
                    Drained::More => {}
                    Drained::Ended(end) => return Ok(end),
                },
                () = yield_now(), if self.may_work() => {}
                // Not at once: what is ready is looked at only when the task has given way.
                () = yield_now(), if self.enricher.has_more_to_seed() => self.enricher.seed_one(),
            }
            // Or signals would be seen only when nothing else is left to do: the runtime asks for them when it is its turn.
            yield_now().await;
            if let Some(end) = written(self.sink.check())? {
                return Ok(end);
            }
            self.end_waiting(Instant::now());
            if let Some(end) = self.work_until(Instant::now() + SLICE)? {
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

    /// Ends tracing, and gives back where the run told what it saw.
    pub(super) fn into_sink(self) -> S {
        self.tracer.detach();
        self.sink
    }

    fn is_full(&self) -> bool {
        self.settings.count.is_some_and(|count| self.account.shown >= count)
    }

    /// Reads what is in the ring buffer, up to a limit.
    fn drain(&mut self, records: &mut Ring) -> Result<Drained, Error> {
        let until = Instant::now() + SLICE;
        for _ in 0..RECORDS_AT_ONCE {
            if Instant::now() >= until {
                break;
            }
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
                Record::Introduction(record) => {
                    let (party, pid) = (self.parties.of(&record.identity), evidence::pid(&record.header));
                    let looks = self.parties.has_share_left(party, pid, std::time::Instant::now());
                    self.working_for(party, pid, |session| session.enricher.introduced(record, looks));
                }
                Record::Bound(record) => {
                    let (party, pid) = (self.parties.of(&record.identity), evidence::pid(&record.header));
                    let looks = self.parties.has_share_left(party, pid, std::time::Instant::now());
                    self.working_for(party, pid, |session| session.enricher.bound(record, looks));
                }
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
                (None, Some(evidence)) => self.take_in(evidence)?,
                (None, None) => None,
            };
            if let Some(end) = end {
                return Ok(Drained::Ended(end));
            }
        }
        Ok(Drained::More)
    }

    fn check_loss(&mut self) -> Result<(), Error> {
        let lost = self.tracer.count(counter::LOST)?;
        if lost > self.lost {
            let uids: Vec<_> =
                self.lost_by().iter().map(|by| format!("{} (uid {})", by.lost, by.uid)).collect();
            let of = if uids.is_empty() { String::new() } else { format!("; in all {}", uids.join(", ")) };
            self.status(&format!(
                "{} refusals lost: more kinds of them, of more processes, came than can be counted at once ({MAX_ALIKE} kinds, \
                 {MAX_SHARES} processes){of}",
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
