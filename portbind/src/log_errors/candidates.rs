//! The refused binds of recordings that a log error may be about, the best of them kept.

use std::net::IpAddr;
use std::rc::Rc;

use jiff::SignedDuration;

use super::addresses::{Fit, fit};
use super::join::Reason;
use super::log_error::Complaint;
use crate::wire::Refusal;

/// How long after a refused bind its log line may be written: programs log late, and collectors later.
const LATE: SignedDuration = SignedDuration::from_secs(10);
/// How long before: timestamps in logs are truncated to a second.
const EARLY: SignedDuration = SignedDuration::from_millis(1500);
/// More candidates than errors are kept, because other errors may be about them.
const SPARE: usize = 32;

/// How well a refused bind fits, best first: by pid, by port or path, by address, by program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    no_pid: bool,
    no_target: bool,
    fit: Fit,
    no_program: bool,
}

impl Class {
    pub(super) const fn is_by_pid(self) -> bool {
        !self.no_pid
    }

    pub(super) const fn is_by_target(self) -> bool {
        !self.no_target
    }

    pub(super) const fn is_by_program(self) -> bool {
        !self.no_program
    }
}

/// A refused bind that an error may be about.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) refusal: Rc<Refusal<'static>>,
    /// The time from the refused bind to the log line, if the line has one.
    pub(super) apart: Option<SignedDuration>,
}

/// The best refused binds for one error, or for all errors that name the same and no time.
#[derive(Debug)]
pub(super) struct Candidates {
    /// How many errors share them.
    pub(super) errors: usize,
    class: Option<Class>,
    best: Vec<Candidate>,
    /// How many are of the best class.
    count: u64,
    nearest: Option<SignedDuration>,
    other_address: Option<IpAddr>,
}

impl Candidates {
    pub(super) const fn new() -> Self {
        Self { errors: 0, class: None, best: Vec::new(), count: 0, nearest: None, other_address: None }
    }

    /// The class of the best ones; `None` if there are none.
    pub(super) const fn class(&self) -> Option<Class> {
        self.class
    }

    /// How many are of the best class.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The best ones: the nearest in time first, or in the order of the recording.
    pub(super) fn best(&self) -> &[Candidate] {
        &self.best
    }

    /// Why there are none.
    pub(super) fn reason(&self) -> Reason {
        let other = self.other_address.map(Reason::OtherAddress);
        self.nearest.map(Reason::NotThen).or(other).unwrap_or(Reason::NoneLikeIt)
    }

    /// Considers a refused bind for this error.
    pub(super) fn consider(&mut self, complaint: &Complaint, refusal: &Rc<Refusal<'static>>) {
        let target = &complaint.target;
        if !is_of_protocol(target.protocol.as_deref(), &refusal.socket.protocol) {
            return;
        }
        let programs = complaint.programs();
        let by_program = programs.iter().any(|program| is_of(refusal, program));
        if !target.is_known() && !programs.is_empty() && !by_program {
            return;
        }
        let Some(fit) = fit(target.address.as_deref(), refusal.socket.address) else {
            self.other_address = self.other_address.or(refusal.socket.address);
            return;
        };
        let apart = complaint.time.map(|time| time.duration_since(refusal.time.0));
        if let Some(apart) = apart.filter(|apart| *apart > LATE || *apart < -EARLY) {
            if self.nearest.is_none_or(|nearest| apart.abs() < nearest.abs()) {
                self.nearest = Some(apart);
            }
            return;
        }
        let class = Class {
            no_pid: complaint.pid != Some(refusal.process.pid),
            no_target: !target.is_known(),
            fit,
            no_program: !by_program,
        };
        self.keep(class, Candidate { refusal: Rc::clone(refusal), apart });
    }

    /// Keeps a candidate if it is of the best class so far.
    fn keep(&mut self, class: Class, candidate: Candidate) {
        if self.class.is_some_and(|best| best < class) {
            return;
        }
        if self.class != Some(class) {
            self.class = Some(class);
            self.best.clear();
            self.count = 0;
        }
        self.count += 1;
        let distance = |candidate: &Candidate| candidate.apart.map(SignedDuration::abs);
        let at = self.best.partition_point(|other| distance(other) <= distance(&candidate));
        self.best.insert(at, candidate);
        self.best.truncate(self.errors + SPARE);
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
