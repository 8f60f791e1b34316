//! A run of tracing: reads the ring buffer until the run ends, and completes the account.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use portbind_abi::{MAX_COUNTS, MAX_QUOTAS, counter};
use tokio::io::unix::AsyncFd;
use tokio::task::yield_now;
use tokio::time::{Instant, Interval, MissedTickBehavior, sleep_until};

use super::enrich::Enricher;
use super::error::Error;
use super::overflow::Overflow;
use super::party::Parties;
use super::queue::Queue;
use super::repeats::Repeats;
use super::sink::{End, Sink, written};
use crate::diagnosis::history::History;
use crate::event::{Account, Ended, Ending, LostBy};
use crate::host::{Accounts, Host};
use crate::kernel::assemble::Evidence;
use crate::kernel::debug::DebugLines;
use crate::kernel::error::AttachError;
use crate::kernel::evidence;
use crate::kernel::record::Record;
use crate::kernel::tracer::Tracer;
use crate::sys::poll;
use crate::sys::ring::Ring;

/// How long a refusal waits for the record of the bind that opened its holder: records of two CPUs can be out of order,
/// and a bind's success is only recorded when its system call returns.
pub(super) const LATE_OPENING: Duration = Duration::from_millis(5);
/// Limit for refusals that wait for such a record; further ones are shown without it.
pub(super) const MOST_WAITING: usize = 256;
/// Limits for reading records before other work gets its turn: number and time.
const RECORDS_AT_ONCE: usize = 256;
const SLICE: Duration = Duration::from_millis(20);
/// Interval for reading the loss counter and the ring buffer while nothing else happens.
const LOSS_CHECK: Duration = Duration::from_secs(1);

/// Limit for the parties named as those whose refusals were lost.
const MOST_LOST_BY: usize = 8;

/// State of the ring buffer after reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drained {
    /// Nothing.
    Empty,
    /// Possibly more records.
    More,
    /// The run ends.
    Ended(End),
}

/// The settings of a run, besides what it traces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// End after this many refusals.
    pub(crate) count: Option<u64>,
    /// Port events to record.
    pub(crate) history_limit: usize,
    /// Time limit for the end of the run, including the output of remaining events.
    pub(crate) last_words: Duration,
}

/// The ring buffer of a run.
pub(crate) type Records = AsyncFd<Ring>;

/// Opens the ring buffer of a run.
pub(crate) fn records(tracer: &Tracer) -> Result<Records, Error> {
    poll::watch(tracer.take_records()?)
        .map_err(|source| Error::System { doing: "cannot wait for the ring buffer", source })
}

/// A run of tracing.
pub(super) struct Run<S> {
    pub(super) settings: Settings,
    pub(super) tracer: Tracer,
    pub(super) sink: S,
    pub(super) enricher: Enricher,
    /// Refusals whose holder has no known opener yet, each with the end of its waiting time.
    pub(super) waiting: VecDeque<(Instant, Evidence)>,
    pub(super) begin: Instant,
    /// Refusals read from the ring buffer.
    pub(super) read: u64,
    /// Refusals that the kernel half only counted and that the account includes.
    pub(super) counted: u64,
    pub(super) account: Account,
    pub(super) lost: u64,
    pub(super) repeats: Repeats,
    /// Refusals waiting for their turn.
    pub(super) queue: Queue,
    pub(super) parties: Parties,
    /// Refusals that found no room in the queue.
    pub(super) overflow: Overflow,
    debug_lines: Option<DebugLines>,
    loss_check: Interval,
    /// The ring buffer may have records that caused no wakeup.
    has_more: bool,
}

impl<S: Sink> Run<S> {
    /// Prepares a run. Requires a tokio runtime with time.
    pub(super) fn new(settings: Settings, host: Host, tracer: Tracer, sink: S) -> Self {
        let mut loss_check = tokio::time::interval(LOSS_CHECK);
        loss_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
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
            debug_lines: None,
            loss_check,
            has_more: false,
        }
    }

    /// Announces that tracing has begun; with `is_verbose`, also the backends tried and what is missing.
    pub(super) fn announce(&mut self, is_verbose: bool) -> Result<(), Error> {
        let mut texts = Vec::new();
        if is_verbose {
            let refused = self.tracer.refused.iter();
            texts.extend(
                refused.map(|(backend, error)| format!("{} cannot be used: {error}", backend.as_str())),
            );
            let fallback = self.enricher.fallback();
            texts.extend(fallback.map(|why| format!("owners of sockets are looked up in /proc: {why}")));
        }
        texts.extend(self.tracer.missing.iter().map(|shows| format!("this kernel has no hook for {shows}")));
        for text in texts {
            self.sink.note(&text);
        }
        written(self.sink.begin())?;
        let backend = self.tracer.backend;
        let blind = backend.blind_to().map_or_else(String::new, |what| format!("; it does not see {what}"));
        self.sink.note(&format!("tracing with {}{blind}; Ctrl-C ends it", backend.as_str()));
        self.enricher.plan_startup_sockets();
        Ok(())
    }

    /// Logs every bind and listen system call as it happens, besides the other output.
    pub(super) fn follow_debug_lines(&mut self) -> Result<(), AttachError> {
        self.debug_lines = Some(self.tracer.debug_lines()?);
        Ok(())
    }

    /// Waits for the next event and handles it. Returns why the run ends, if it does. If the future is dropped early,
    /// nothing is lost, and the next step continues.
    pub(super) async fn step(&mut self, records: &mut Records) -> Result<Option<End>, Error> {
        if self.is_full() {
            return Ok(Some(End::Asked));
        }
        if let Some(end) = self.await_next(records).await? {
            return Ok(Some(end));
        }
        // Without this, signals would only be noticed when the task is idle: the runtime polls them on its own turn.
        yield_now().await;
        if let Some(end) = written(self.sink.check())? {
            return Ok(Some(end));
        }
        self.end_waiting(Instant::now());
        if let Some(end) = self.work_until(Instant::now() + SLICE)? {
            return Ok(Some(end));
        }
        self.tracer.await_ends(self.enricher.awaits_ends())?;
        let free = self.enricher.due();
        self.show_releases(free)
    }

    /// Waits for a record, a timer, or room in the sink, and handles it at once.
    async fn await_next(&mut self, records: &mut Records) -> Result<Option<End>, Error> {
        let far = Instant::now() + Duration::from_secs(365 * 24 * 3600);
        let opening = self.waiting.front().map_or(far, |(until, _)| *until);
        let due = self.enricher.next_due().map_or(far, |left| Instant::now() + left);
        tokio::select! {
            biased;
            // Checked before the branches that may always be ready: on a busy machine the ring buffer always has
            // records.
            _ = self.loss_check.tick() => {
                // Records that are not urgent cause no wakeup.
                self.has_more = true;
                self.check_loss()?;
                return self.show_repeats();
            }
            ready = records.readable_mut() => {
                let source = |source| Error::System { doing: "cannot wait for the ring buffer", source };
                let mut ready = ready.map_err(source)?;
                match self.drain(ready.get_inner_mut())? {
                    Drained::Empty => ready.clear_ready(),
                    Drained::More => {}
                    Drained::Ended(end) => return Ok(Some(end)),
                }
            }
            () = sleep_until(due) => {}
            () = sleep_until(opening) => {}
            () = self.sink.changed() => {}
            texts = DebugLines::next(&mut self.debug_lines) => texts.iter().for_each(|text| self.sink.note(text)),
            () = yield_now(), if self.has_more => match self.drain(records.get_mut())? {
                Drained::Empty => self.has_more = false,
                Drained::More => {}
                Drained::Ended(end) => return Ok(Some(end)),
            },
            () = yield_now(), if self.may_work() => {}
            // Yields first: the runtime only checks what else is ready when this task yields.
            () = yield_now(), if self.enricher.has_startup_sockets_left() => {
                self.enricher.describe_next_startup_socket();
            }
        }
        Ok(None)
    }

    /// Reads the records that are in the ring buffer now.
    pub(super) fn catch_up(&mut self, records: &mut Records) -> Result<(), Error> {
        while self.drain(records.get_mut())? == Drained::More {}
        Ok(())
    }

    /// The recorded port events.
    pub(super) const fn history(&self) -> &History {
        self.enricher.history()
    }

    pub(super) fn is_full(&self) -> bool {
        self.settings.count.is_some_and(|count| self.account.shown >= count)
    }

    /// Reads records from the ring buffer, up to a limit.
    pub(super) fn drain(&mut self, records: &mut Ring) -> Result<Drained, Error> {
        let until = Instant::now() + SLICE;
        for _ in 0..RECORDS_AT_ONCE {
            if Instant::now() >= until {
                break;
            }
            let Some(bytes) = records.next_record() else { return Ok(Drained::Empty) };
            let record = match Record::parse(bytes) {
                Ok(record) => record,
                Err(error) => {
                    self.sink.note(&format!("the kernel half and the user half disagree: {error}"));
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
            self.sink.note(&format!(
                "{} refusals lost: more kinds of them, of more processes, came than can be counted at once \
                 ({MAX_COUNTS} kinds, {MAX_QUOTAS} processes){of}",
                lost - self.lost
            ));
            self.lost = lost;
        }
        Ok(())
    }

    /// The parties whose refusals were lost, most first, limited to what fits on a line.
    pub(super) fn lost_by(&self) -> Vec<LostBy> {
        let lost = self.tracer.lost_by_party().into_iter().take(MOST_LOST_BY);
        lost.map(|(party, lost)| LostBy { uid: party.owner, cgroup_id: party.cgroup, lost }).collect()
    }
}
