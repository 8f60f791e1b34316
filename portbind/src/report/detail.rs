//! What is kept of one port: its timeline, and the refusals that are alike.

use jiff::Timestamp;

use super::foreign::Foreign;
use super::ranked::{LeftOut, Ranked};
use super::side::{Party, Side};
use super::timeline::Timeline;
use crate::event::ShellCommand;
use crate::wire;

/// Groups that are kept of a port.
const MOST_GROUPS: usize = 24;
/// Groups that are told of a port.
const TOLD_GROUPS: usize = 8;
/// Remedies that are kept of a refusal.
const MOST_FIXES: usize = 6;

/// Refusals of one port that are alike: the same cause, the same programs and tests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group {
    /// How many.
    pub count: u64,
    /// Time of the first and of the last.
    pub period: (Timestamp, Timestamp),
    /// `bind`, `listen`, ... of the first.
    pub operation: Foreign,
    /// Name of the error, or its number.
    pub error: Foreign,
    /// Address and port as they are written in URLs; empty of a socket without them.
    pub asked: Foreign,
    /// Who was refused, the first time.
    pub caller: Party,
    /// Who was in the way, the first time; `None` where nobody was found.
    pub holder: Option<(Party, Foreign)>,
    /// How many more sockets were in the way, the first time.
    pub more_holders: usize,
    /// Code of the cause.
    pub cause: Foreign,
    /// Its sentence, of the first.
    pub summary: Foreign,
    /// What the diagnosis rests on, of the first.
    pub confidence: Foreign,
    /// Remedies of the first.
    pub fixes: Vec<Fix>,
    /// How many of them their process did not report.
    pub swallowed: u64,
    /// When the port was free again after them.
    pub free: Option<Free>,
}

/// Milliseconds after which a refused port was free again.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Free {
    /// The least.
    pub least_ms: f64,
    /// The most.
    pub most_ms: f64,
}

/// A remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fix {
    /// Its code.
    pub code: Foreign,
    /// What to do.
    pub text: Foreign,
    /// The command that does it.
    pub command: Option<Foreign>,
}

/// What groups refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Likeness {
    pub(super) cause: Foreign,
    pub(super) caller: Side,
    pub(super) holder: Option<Side>,
}

/// What is kept of a port.
#[derive(Clone, Debug, Default)]
pub(super) struct Detail {
    timeline: Timeline,
    groups: Vec<(Likeness, Group)>,
    /// Refusals in groups that did not fit.
    left_out: u64,
}

impl Likeness {
    pub(super) fn of(refusal: &wire::Refusal<'_>) -> Self {
        Self {
            cause: Foreign::new(&refusal.cause.code),
            caller: Side::caller(&refusal.process),
            holder: first_in_the_way(refusal).map(Side::behind),
        }
    }
}

fn first_in_the_way<'a, 'b>(refusal: &'a wire::Refusal<'b>) -> Option<&'a wire::Holder<'b>> {
    refusal.holders.iter().find(|holder| holder.conflicts)
}

impl Detail {
    pub(super) fn refusal(&mut self, refusal: &wire::Refusal<'_>, like: &Likeness, session: u32) {
        self.timeline.refusal(refusal, session);
        let time = refusal.time.0;
        if let Some(group) = self.group(like) {
            group.count = group.count.saturating_add(1);
            group.period = (group.period.0.min(time), group.period.1.max(time));
        } else if self.groups.len() < MOST_GROUPS {
            self.groups.push((like.clone(), Group::of(refusal)));
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    pub(super) fn group(&mut self, like: &Likeness) -> Option<&mut Group> {
        self.groups.iter_mut().find(|(known, _)| known == like).map(|(_, group)| group)
    }

    pub(super) fn free(&mut self, refused: Timestamp, at: Timestamp, session: u32) {
        self.timeline.free(refused, at, session);
    }

    /// The timeline and the groups of a port with so many refusals.
    pub(super) fn finish(mut self, count: u64) -> (Timeline, Ranked<Group>) {
        self.timeline.finish();
        self.groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.count));
        let all = self.groups.len();
        let rows: Vec<Group> = self.groups.into_iter().take(TOLD_GROUPS).map(|(_, group)| group).collect();
        let told = rows.iter().fold(0_u64, |told, group| told.saturating_add(group.count));
        let others = u64::try_from(all - rows.len()).unwrap_or(u64::MAX);
        // Refusals from before the port was worth details are among those that are not told.
        let left_out =
            LeftOut { rows: self.left_out.saturating_add(others), count: count.saturating_sub(told) };
        (self.timeline, Ranked { rows, left_out })
    }
}

impl Group {
    fn of(refusal: &wire::Refusal<'_>) -> Self {
        let in_the_way = refusal.holders.iter().filter(|holder| holder.conflicts).count();
        let holder = first_in_the_way(refusal);
        Self {
            count: 1,
            period: (refusal.time.0, refusal.time.0),
            operation: Foreign::new(&refusal.operation),
            error: match &refusal.error.name {
                Some(name) => Foreign::new(name),
                None => Foreign::new(&refusal.error.number.to_string()),
            },
            asked: Foreign::new(&asked(&refusal.socket)),
            caller: Party::caller(&refusal.process),
            holder: holder.map(|holder| (Party::behind(holder), Foreign::new(&holder.state))),
            more_holders: in_the_way.saturating_sub(1),
            cause: Foreign::new(&refusal.cause.code),
            summary: Foreign::new(&refusal.cause.summary),
            confidence: Foreign::new(&refusal.confidence),
            fixes: refusal.fixes.iter().take(MOST_FIXES).map(Fix::of).collect(),
            swallowed: 0,
            free: None,
        }
    }

    /// The port was free again after so many milliseconds.
    pub(super) fn freed(&mut self, after_ms: f64) {
        let free = self.free.get_or_insert(Free { least_ms: after_ms, most_ms: after_ms });
        free.least_ms = free.least_ms.min(after_ms);
        free.most_ms = free.most_ms.max(after_ms);
    }
}

impl Fix {
    /// A command that would have to be cut is left out, and out of the sentence as well: the rest of it would do
    /// something else. One that portbind does not make stays in the sentence only.
    pub(super) fn of(fix: &wire::Fix<'_>) -> Self {
        let fits = |text: &str| text.len() <= Foreign::LONGEST;
        let command = fix.command.as_deref();
        let sentence = command.and_then(|command| fix.text.strip_suffix(command));
        let (text, command) = match sentence {
            Some(sentence) if !fits(&fix.text) => (sentence.trim_end_matches([' ', ':']), None),
            _ => (
                &*fix.text,
                command.filter(|command| fits(command) && ShellCommand::recorded(command).is_some()),
            ),
        };
        Self { code: Foreign::new(&fix.code), text: Foreign::new(text), command: command.map(Foreign::new) }
    }
}

fn asked(socket: &wire::Socket<'_>) -> String {
    match (socket.address, socket.port) {
        (Some(address), Some(port)) => std::net::SocketAddr::new(address, port).to_string(),
        _ => String::new(),
    }
}
