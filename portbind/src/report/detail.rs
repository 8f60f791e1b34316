//! The details of one port: its timeline, and its equal refusals in groups.

use jiff::Timestamp;

use super::foreign::Foreign;
use super::ranked::{LeftOut, Ranked};
use super::side::{Party, Side};
use super::timeline::Timeline;
use crate::event::ShellCommand;
use crate::order::sort_by_key;
use crate::wire;

/// The most groups stored per port.
const MOST_GROUPS: usize = 24;
/// Groups per port in the report.
const TOLD_GROUPS: usize = 8;
/// The most remedies stored per refusal.
const MOST_FIXES: usize = 6;

/// Equal refusals of one port: the same cause, programs and tests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group {
    /// The number of refusals.
    pub count: u64,
    /// Time of the first and of the last refusal.
    pub period: (Timestamp, Timestamp),
    /// Operation of the first refusal: `bind`, `listen`, ...
    pub operation: Foreign,
    /// Name of the error, or its number.
    pub error: Foreign,
    /// Address and port in URL syntax; empty for a socket without them.
    pub asked: Foreign,
    /// The first caller.
    pub caller: Party,
    /// The holder of the first refusal; `None` if none was found.
    pub holder: Option<(Party, Foreign)>,
    /// How many more sockets were in the way of the first refusal.
    pub more_holders: usize,
    /// Code of the cause.
    pub cause: Foreign,
    /// Summary of the cause of the first refusal.
    pub summary: Foreign,
    /// The evidence for the first diagnosis.
    pub confidence: Foreign,
    /// Remedies of the first refusal.
    pub fixes: Vec<Fix>,
    /// How many of these refusals were not reported by their process.
    pub swallowed: u64,
    /// When the port was free again after these refusals.
    pub free: Option<Free>,
}

/// Milliseconds after which a refused port was free again.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Free {
    /// The minimum.
    pub least_ms: f64,
    /// The maximum.
    pub most_ms: f64,
}

/// A remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fix {
    /// The code of the remedy.
    pub code: Foreign,
    /// What to do.
    pub text: Foreign,
    /// The command to run.
    pub command: Option<Foreign>,
}

/// The key of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Likeness {
    pub(super) cause: Foreign,
    pub(super) caller: Side,
    pub(super) holder: Option<Side>,
}

/// The details stored per port.
#[derive(Clone, Debug, Default)]
pub(super) struct Detail {
    timeline: Timeline,
    groups: Vec<(Likeness, Group)>,
    /// Refusals of groups that did not fit.
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

    /// The timeline and the groups of a port with this number of refusals.
    pub(super) fn finish(mut self, count: u64) -> (Timeline, Ranked<Group>) {
        self.timeline.finish();
        sort_by_key(&mut self.groups, |(_, group)| std::cmp::Reverse(group.count));
        let all = self.groups.len();
        let rows: Vec<Group> = self.groups.into_iter().take(TOLD_GROUPS).map(|(_, group)| group).collect();
        let shown = rows.iter().fold(0_u64, |shown, group| shown.saturating_add(group.count));
        let others = u64::try_from(all - rows.len()).unwrap_or(u64::MAX);
        // Refusals from before the port had details count as omitted.
        let left_out =
            LeftOut { rows: self.left_out.saturating_add(others), count: count.saturating_sub(shown) };
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

    /// Records that the port was free again after this many milliseconds.
    pub(super) fn freed(&mut self, after_ms: f64) {
        let free = self.free.get_or_insert(Free { least_ms: after_ms, most_ms: after_ms });
        free.least_ms = free.least_ms.min(after_ms);
        free.most_ms = free.most_ms.max(after_ms);
    }
}

impl Fix {
    /// Drops a command that would have to be cut, and removes it from the sentence as well, because the rest could do
    /// something else. A command that portbind does not generate stays in the sentence only.
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
