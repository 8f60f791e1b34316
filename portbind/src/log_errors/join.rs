//! Matches the errors of logs with the refused binds of recordings.

use std::collections::HashMap;
use std::rc::Rc;

use jiff::SignedDuration;

use super::log_error::Complaint;
use crate::event::Errno;
use crate::wire::Refusal;

/// How long after a refused bind its log line may be written: programs log late, and collectors later.
const LATE: SignedDuration = SignedDuration::from_secs(10);
/// How long before: timestamps in logs are truncated to a second.
const EARLY: SignedDuration = SignedDuration::from_millis(1500);

/// A log error, and what the recordings contain about it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Match {
    /// The log error.
    pub complaint: Complaint,
    /// The matching refused bind, or why there is none.
    pub join: Result<Join, Reason>,
}

impl Match {
    /// A log error without any recordings.
    #[must_use]
    pub const fn without_recording(complaint: Complaint) -> Self {
        Self { complaint, join: Err(Reason::NoRecording) }
    }
}

/// The refused bind that a log error is about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Join {
    /// The refused bind.
    pub refusal: Rc<Refusal<'static>>,
    /// The port or path matches.
    pub by_target: bool,
    /// The program's name matches.
    pub by_program: bool,
    /// The process id matches.
    pub by_pid: bool,
    /// The time from the refused bind to the log line; `None` if the two were matched by their order.
    pub apart: Option<SignedDuration>,
    /// The number of refused binds that could match.
    pub candidates: u64,
}

/// Why a log error has no matching refused bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No recording was given.
    NoRecording,
    /// The recordings contain no refused bind of this port, path or program.
    NoneLikeIt,
    /// The recordings contain such refused binds, but none at that time. The nearest was this long before the line.
    NotThen(SignedDuration),
    /// The line names neither port nor program, and several refused binds are possible.
    Ambiguous(u64),
}

impl Reason {
    /// The JSON value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRecording => "no-recording",
            Self::NoneLikeIt => "none-like-it",
            Self::NotThen(_) => "not-then",
            Self::Ambiguous(_) => "ambiguous",
        }
    }
}

/// Matches log errors with the refused binds passed to it, and keeps only the ones it may need.
#[derive(Debug, Default)]
pub struct Joiner {
    searches: Vec<Search>,
    by_port: HashMap<u16, Vec<usize>>,
    by_path: HashMap<String, Vec<usize>>,
    /// Errors that name neither a target nor a program.
    others: Vec<usize>,
}

/// The search for the refused bind of one log error.
#[derive(Debug)]
struct Search {
    complaint: Complaint,
    /// Searches the refused binds near the error in time.
    in_time: InTime,
    /// Searches the refused binds of the error's program.
    of_program: InOrder,
    /// Searches all refused binds of the error's port or path.
    of_any: InOrder,
    by_pid: Option<Rc<Refusal<'static>>>,
}

/// Finds the nearest in time; refused binds with the same pid or program come first.
#[derive(Debug, Default)]
struct InTime {
    best: Option<Near>,
    candidates: u64,
    /// The nearest one outside the time window.
    nearest: Option<SignedDuration>,
}

#[derive(Debug)]
struct Near {
    refusal: Rc<Refusal<'static>>,
    by_pid: bool,
    by_program: bool,
    apart: SignedDuration,
}

/// Assigns the n-th refused bind to the n-th error; surplus errors get the last one.
#[derive(Debug)]
struct InOrder {
    /// How many earlier errors may be about the same refused binds.
    rank: u64,
    candidates: u64,
    best: Option<Rc<Refusal<'static>>>,
}

impl Joiner {
    /// A joiner for log errors in the order of the log.
    #[must_use]
    pub fn new(complaints: Vec<Complaint>) -> Self {
        let mut joiner = Self::default();
        for complaint in complaints {
            joiner.add(complaint);
        }
        joiner
    }

    fn add(&mut self, complaint: Complaint) {
        let index = self.searches.len();
        match (complaint.target.port, &complaint.target.path) {
            (Some(port), _) => self.by_port.entry(port).or_default().push(index),
            (None, Some(path)) => self.by_path.entry(path.clone()).or_default().push(index),
            (None, None) => self.others.push(index),
        }
        let programs = complaint.programs();
        let before = || {
            let all = self.searches.iter().map(|search| &search.complaint);
            all.filter(|other| complaint.target.agrees(&other.target))
        };
        let is_of_program =
            |other: &&Complaint| other.programs().iter().any(|program| programs.contains(program));
        let (of_program, of_any) = (before().filter(is_of_program).count(), before().count());
        self.searches.push(Search {
            in_time: InTime::default(),
            of_program: InOrder::new(of_program),
            of_any: InOrder::new(of_any),
            by_pid: None,
            complaint,
        });
    }

    /// Passes in a refused bind, in the order of the recording.
    pub fn show(&mut self, refusal: Refusal<'static>) {
        if refusal.error.number != Errno::EADDRINUSE.0 {
            return;
        }
        let socket = &refusal.socket;
        let by_port = socket.port.and_then(|port| self.by_port.get(&port));
        let by_path = socket.path.as_deref().and_then(|path| self.by_path.get(path));
        let indices = [by_port, by_path, Some(&self.others)];
        let refusal = Rc::new(refusal);
        for index in indices.into_iter().flatten().flatten() {
            if let Some(search) = self.searches.get_mut(*index) {
                search.show(&refusal);
            }
        }
    }

    /// The results, in the order of the log.
    pub fn finish(self) -> impl Iterator<Item = Match> {
        self.searches.into_iter().map(Search::finish)
    }
}

impl Search {
    fn show(&mut self, refusal: &Rc<Refusal<'static>>) {
        let complaint = &self.complaint;
        if !is_of_protocol(complaint.target.protocol.as_deref(), &refusal.socket.protocol) {
            return;
        }
        let programs = complaint.programs();
        let by_program = programs.iter().any(|program| is_of(refusal, program));
        if !complaint.target.is_known() && !programs.is_empty() && !by_program {
            return;
        }
        let by_pid = complaint.pid == Some(refusal.process.pid);
        if let Some(time) = complaint.time {
            let apart = time.duration_since(refusal.time.0);
            self.in_time.show(Near { refusal: Rc::clone(refusal), by_pid, by_program, apart });
            return;
        }
        if by_pid && self.by_pid.is_none() {
            self.by_pid = Some(Rc::clone(refusal));
        }
        if by_program {
            self.of_program.show(refusal);
        }
        self.of_any.show(refusal);
    }

    fn finish(self) -> Match {
        let Self { complaint, in_time, of_program, of_any, by_pid: of_pid } = self;
        let by_target = complaint.target.is_known();
        let has_program = !complaint.programs().is_empty();
        let join = |refusal, by_pid, by_program, apart, candidates| {
            if by_target || by_pid || has_program || candidates == 1 {
                Ok(Join { refusal, by_target, by_program, by_pid, apart, candidates })
            } else {
                Err(Reason::Ambiguous(candidates))
            }
        };
        let InTime { best, candidates, nearest } = in_time;
        let join = match (best, of_pid, of_program.best, of_any.best) {
            (Some(near), ..) => {
                join(near.refusal, near.by_pid, near.by_program, Some(near.apart), candidates)
            }
            (_, Some(refusal), ..) => join(refusal, true, false, None, 1),
            (_, _, Some(refusal), _) => join(refusal, false, true, None, of_program.candidates),
            (_, _, _, Some(refusal)) => join(refusal, false, false, None, of_any.candidates),
            _ => Err(nearest.map_or(Reason::NoneLikeIt, Reason::NotThen)),
        };
        Match { complaint, join }
    }
}

impl InTime {
    fn show(&mut self, near: Near) {
        let Near { apart, .. } = near;
        if apart > LATE || apart < -EARLY {
            if self.nearest.is_none_or(|nearest| apart.abs() < nearest.abs()) {
                self.nearest = Some(apart);
            }
            return;
        }
        self.candidates += 1;
        let rank = |near: &Near| (!near.by_pid, !near.by_program, near.apart.abs());
        if self.best.as_ref().is_none_or(|best| rank(&near) < rank(best)) {
            self.best = Some(near);
        }
    }
}

impl InOrder {
    fn new(rank: usize) -> Self {
        Self { rank: u64::try_from(rank).unwrap_or(u64::MAX), candidates: 0, best: None }
    }

    fn show(&mut self, refusal: &Rc<Refusal<'static>>) {
        if self.candidates <= self.rank {
            self.best = Some(Rc::clone(refusal));
        }
        self.candidates += 1;
    }
}

/// Whether the protocol in the log matches the socket's; to a program, MPTCP is TCP.
fn is_of_protocol(shown: Option<&str>, protocol: &str) -> bool {
    shown.is_none_or(|shown| shown == protocol || shown == "tcp" && protocol == "mptcp")
}

/// Whether the caller runs this program: compares the name of its executable or thread, with or without a version or
/// variant (`python3.11`, `nc.openbsd`).
fn is_of(refusal: &Refusal<'_>, program: &str) -> bool {
    let process = &refusal.process;
    let file = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let names = [process.exe.as_deref().map(file), process.args.first().map(|arg| file(arg))];
    names.into_iter().flatten().chain([process.comm.clone().into_owned()]).any(|name| {
        let rest = name.strip_prefix(program);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    })
}
