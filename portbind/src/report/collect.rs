//! Collects the lines of recordings, one by one.

use jiff::Timestamp;

use super::detail::{Detail, Fix, Likeness};
use super::foreign::Foreign;
use super::place::{Class, Place};
use super::ranked::Tally;
use super::rows::{CauseRow, FileNotes, PairRow, PortRow, Report};
use super::samples::{Leak, Run, Swallowed};
use super::side::{Party, Side};
use crate::recording::{Line, Skipped};
use crate::secrets::mask;
use crate::wire;

mod recent;

use recent::{Known, Recent};

/// The most causes, pairs and ports that are counted at a time.
const COUNTED: usize = 4096;
/// The most ports that have more than a count at a time.
const DETAILED: usize = 128;
/// Rows per table in the report.
const TOLD: usize = 32;
/// The most swallowed refusals, leaks and commands in the report.
const SAMPLES: usize = 64;

/// Codes of remedies that help only once.
const OF_THE_MOMENT: [&str; 3] = ["wait", "other-port", "stop-holder"];

/// A report under construction.
#[derive(Debug)]
pub struct Collector {
    report: Report,
    causes: Tally<Foreign, (Foreign, Option<Fix>)>,
    classes: Tally<Class, ()>,
    ports: Tally<Place, Port>,
    detailed: usize,
    pairs: Tally<(Side, Option<Side>), (Foreign, Place)>,
    recent: Recent,
    session: u32,
    /// Refusals lost in this session, according to its refusal lines.
    lost: u64,
    /// Refusals only counted in this session, according to its lines about repeats.
    coalesced: u64,
}

/// What is stored per port.
#[derive(Debug)]
struct Port {
    period: (Timestamp, Timestamp),
    netns_name: Option<Foreign>,
    detail: Option<Box<Detail>>,
}

impl Default for Collector {
    fn default() -> Self {
        Self {
            report: Report::default(),
            causes: Tally::new(COUNTED),
            classes: Tally::new(COUNTED),
            ports: Tally::new(COUNTED),
            detailed: 0,
            pairs: Tally::new(COUNTED),
            recent: Recent::default(),
            session: 0,
            lost: 0,
            coalesced: 0,
        }
    }
}

impl Collector {
    /// Adds a line.
    pub fn push(&mut self, line: &Line) {
        match line {
            Line::Refusal(refusal) => self.refusal(refusal),
            Line::Release(release) => self.release(release),
            Line::Repeat(repeat) => self.repeat(repeat),
            Line::Summary(summary) => self.summary(summary),
            Line::Command(command) => self.command(command),
            Line::Outcome(outcome) => self.outcome(outcome),
            Line::Leak(leak) => self.leak(leak),
            Line::End(end) => self.end(end),
        }
    }

    /// Records that a recording was read to its end.
    pub fn file(&mut self, name: &str, lines: u64, skipped: Skipped) {
        self.next_session();
        self.report.files.push(FileNotes { name: Foreign::new(name), lines, skipped });
    }

    /// Adds a refusal.
    pub fn refusal(&mut self, refusal: &wire::Refusal<'_>) {
        let (time, place, like) = (refusal.time.0, Place::of(&refusal.socket), Likeness::of(refusal));
        self.report.totals.refusals = self.report.totals.refusals.saturating_add(1);
        self.lost = self.lost.max(refusal.lost);
        let period = self.report.period.get_or_insert((time, time));
        *period = (period.0.min(time), period.1.max(time));
        let first = || (Foreign::new(&refusal.cause.summary), None);
        let (_, (_, fix)) = self.causes.add(&like.cause, first);
        if fix.is_none() {
            *fix = lasting(&refusal.fixes).map(Fix::of);
        }
        self.classes.add(&place.class(), || ());
        let pair = (like.caller.clone(), like.holder.clone());
        self.pairs.add(&pair, || (like.cause.clone(), place.clone()));
        self.port(&place, refusal, &like);
        if let Some(run) = self.running() {
            run.refusals = run.refusals.saturating_add(1);
        }
        self.recent.insert(time, refusal.process.pid, Known { place, like });
    }

    /// Adds refusals that were only counted.
    pub fn repeat(&mut self, repeat: &wire::Repeat<'_>) {
        let count = repeat.count;
        self.coalesced = self.coalesced.saturating_add(count);
        self.report.totals.coalesced = self.report.totals.coalesced.saturating_add(count);
        if let Some(run) = self.running() {
            run.refusals = run.refusals.saturating_add(count);
        }
        // What was not compared may have any cause and port.
        if !repeat.looked_at {
            return;
        }
        let (place, first, last) = (Place::of(&repeat.socket), repeat.first, repeat.last);
        self.classes.add_more(&place.class(), count, || ());
        let time = last.or(first).unwrap_or(repeat.time).0;
        let (_, port) = self.ports.add_more(&place, count, || Port::new(time));
        for time in [first, last].into_iter().flatten() {
            port.period = (port.period.0.min(time.0), port.period.1.max(time.0));
        }
        let known = repeat.cause.as_deref().map(Foreign::new);
        // The words for the cause are in the lines of refusals.
        if let Some(code) = known.filter(|code| self.causes.get_mut(code).is_some()) {
            self.causes.add_more(&code, count, || (code.clone(), None));
            self.report.totals.caused = self.report.totals.caused.saturating_add(count);
        }
    }

    fn port(&mut self, place: &Place, refusal: &wire::Refusal<'_>, like: &Likeness) {
        let time = refusal.time.0;
        let (count, port) = self.ports.add(place, || Port::new(time));
        port.period = (port.period.0.min(time), port.period.1.max(time));
        if port.netns_name.is_none() {
            port.netns_name = refusal.socket.netns_name.as_deref().map(Foreign::new);
        }
        let wants = port.detail.is_none();
        if wants && (self.detailed < DETAILED || self.make_room(count)) {
            self.detailed += 1;
            if let Some(port) = self.ports.get_mut(place) {
                port.detail = Some(Box::default());
            }
        }
        let detail = self.ports.get_mut(place).and_then(|port| port.detail.as_mut());
        if let Some(detail) = detail {
            detail.refusal(refusal, like, self.session);
        }
    }

    /// Drops the details of the least frequent port, if a port with `count` refusals deserves them more.
    fn make_room(&mut self, count: u64) -> bool {
        // Not for every refusal, because the search takes time.
        if !count.is_power_of_two() {
            return false;
        }
        self.detailed = self.ports.iter_mut().filter(|(_, port)| port.detail.is_some()).count();
        if self.detailed < DETAILED {
            return true;
        }
        let detailed = self.ports.iter_mut().filter(|(_, port)| port.detail.is_some());
        match detailed.min_by_key(|(count, _)| *count) {
            Some((least, port)) if least < count => {
                port.detail = None;
                self.detailed -= 1;
                true
            }
            _ => false,
        }
    }

    /// Adds the end of a conflict.
    pub fn release(&mut self, release: &wire::Release<'_>) {
        let (refused, at) = (release.refused.0, release.time.0);
        let detail = self.ports.get_mut(&Place::of(&release.socket)).and_then(|port| port.detail.as_mut());
        let Some(detail) = detail else { return };
        detail.free(refused, at, self.session);
        let known = self.recent.get(refused, release.process.pid);
        if let Some(group) = known.and_then(|known| detail.group(&known.like)) {
            group.freed(release.after_ms);
        }
    }

    /// Adds the summary of a trace, which is its last line.
    pub fn summary(&mut self, summary: &wire::Summary) {
        let not_seen = summary.coalesced.saturating_sub(self.coalesced);
        self.report.totals.coalesced = self.report.totals.coalesced.saturating_add(not_seen);
        self.lost = self.lost.max(summary.lost);
        self.next_session();
    }

    /// Adds the start of a command.
    pub fn command(&mut self, command: &wire::Command<'_>) {
        self.report.totals.runs = self.report.totals.runs.saturating_add(1);
        let run = Run {
            started: command.time.0,
            args: Foreign::new(&mask(&command.args).unwrap_or_else(|| command.args.to_vec()).join(" ")),
            ended: None,
            exit_status: None,
            signal: None,
            refusals: 0,
            leaks: 0,
        };
        self.report.runs.push(run, SAMPLES);
    }

    /// Adds what a process did after its refusal.
    pub fn outcome(&mut self, outcome: &wire::Outcome<'_>) {
        if !outcome.swallowed {
            return;
        }
        self.report.totals.swallowed = self.report.totals.swallowed.saturating_add(1);
        let known = self.recent.get(outcome.refused.0, outcome.process.pid);
        if let Some(known) = known
            && let Some(port) = self.ports.get_mut(&known.place)
            && let Some(group) = port.detail.as_mut().and_then(|detail| detail.group(&known.like))
        {
            group.swallowed = group.swallowed.saturating_add(1);
        }
        let swallowed = Swallowed {
            refused: outcome.refused.0,
            name: Foreign::new(&outcome.process.comm),
            pid: outcome.process.pid,
            what: known.map(|known| (known.place.clone(), known.like.cause.clone())),
            lived_on_ms: outcome.lived_on_ms,
            exit_status: outcome.exit_status,
        };
        self.report.swallowed.push(swallowed, SAMPLES);
    }

    /// Adds a socket that outlived its command.
    pub fn leak(&mut self, leak: &wire::Leak<'_>) {
        self.report.totals.leaks = self.report.totals.leaks.saturating_add(1);
        if let Some(run) = self.running() {
            run.leaks = run.leaks.saturating_add(1);
        }
        let socket = &leak.socket;
        let leak = Leak {
            time: leak.time.0,
            place: Place::held(socket, leak.netns),
            state: Foreign::new(&socket.state),
            opener: socket.opened_by.as_ref().map(Party::opener),
            owner: Party::behind(socket),
        };
        self.report.leaks.push(leak, SAMPLES);
    }

    /// Adds the end of a command.
    pub fn end(&mut self, end: &wire::End<'_>) {
        let runs = &mut self.report.runs.rows;
        if let Some(run) = runs.iter_mut().rev().find(|run| run.started == end.started.0) {
            run.ended = Some(end.time.0);
            run.exit_status = end.exit_status;
            run.signal = end.signal;
        }
    }

    /// The command that was started last, if it is still stored.
    fn running(&mut self) -> Option<&mut Run> {
        if self.report.runs.left_out.rows > 0 { None } else { self.report.runs.rows.last_mut() }
    }

    fn next_session(&mut self) {
        self.report.totals.lost = self.report.totals.lost.saturating_add(std::mem::take(&mut self.lost));
        self.coalesced = 0;
        self.session = self.session.wrapping_add(1);
    }

    /// Returns the report.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.next_session();
        let mut report = self.report;
        report.causes =
            self.causes.finish(TOLD, |code, count, (summary, fix)| CauseRow { code, count, summary, fix });
        report.classes = self.classes.finish(TOLD, |class, count, ()| (class, count)).rows;
        report.pairs = self.pairs.finish(TOLD, |(refused, by), count, (cause, place)| PairRow {
            refused,
            by,
            count,
            cause,
            place,
        });
        report.ports = self.ports.finish(TOLD, Port::finish);
        report
    }
}

/// The first remedy that also helps the next run; else the first.
fn lasting<'a, 'b>(fixes: &'a [wire::Fix<'b>]) -> Option<&'a wire::Fix<'b>> {
    let lasts = |fix: &&wire::Fix<'_>| !OF_THE_MOMENT.contains(&&*fix.code);
    fixes.iter().find(lasts).or(fixes.first())
}

impl Port {
    const fn new(time: Timestamp) -> Self {
        Self { period: (time, time), netns_name: None, detail: None }
    }

    fn finish(place: Place, count: u64, port: Self) -> PortRow {
        let (timeline, groups) = port.detail.unwrap_or_default().finish(count);
        PortRow { place, netns_name: port.netns_name, count, period: port.period, timeline, groups }
    }
}
