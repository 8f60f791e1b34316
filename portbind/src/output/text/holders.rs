//! The sockets on a port and their owners, one line per process.

use jiff::Timestamp;

use super::layout::{at_most, label, note, spread, who};
use super::people::Party;
use crate::event::Errno;
use crate::output::line::{DIM, Line, PLAIN};
use crate::output::style::Style;
use crate::output::words;
use crate::wire::{Holder, HolderProcess, Refusal};

/// The most lines for the holders of one refusal. Live refusals need fewer: 32 holders, and 16 described processes.
const MOST_LINES: usize = 48;

/// What a holder's line omits and adds.
#[derive(Clone, Copy)]
pub(super) struct HolderRow<'a> {
    /// The label in front.
    pub(super) word: &'static str,
    /// The protocol that the line need not repeat.
    pub(super) known: Option<&'a str>,
    /// The current time, to show how long a process has been running.
    pub(super) now: Option<Timestamp>,
    /// The process that was refused.
    pub(super) caller: Option<Party<'a>>,
}

/// The holders of a refused call.
pub(super) fn of_refusal(refusal: &Refusal<'_>, style: &Style) -> Vec<Line> {
    let caller = Some(Party::from(&refusal.process));
    let row = HolderRow { word: "held by", known: Some(&refusal.socket.protocol), now: None, caller };
    let in_the_way = words::conflicting(refusal).flat_map(processes);
    let mut lines = at_most(MOST_LINES, in_the_way, |(holder, process, is_last)| {
        let mut lines = held_by(row, holder, process, style);
        lines.extend(words::more_processes(holder.more_processes).filter(|_| is_last).map(note));
        lines
    });
    let others = refusal.holders.iter().filter(|holder| !holder.conflicts).count();
    if lines.is_empty() {
        lines.extend(nobody(refusal).map(|words| {
            let mut line = label("held by");
            line.push(PLAIN, words);
            line
        }));
    } else if refusal.holders_truncated {
        lines.push(note(match refusal.holders.len() - others {
            1 => "and more: only the first is shown".to_owned(),
            shown => format!("and more: only the first {shown} are shown"),
        }));
    }
    let others = others.saturating_add(usize::try_from(refusal.bystanders).unwrap_or(usize::MAX));
    lines.extend(also_on_the_port(others));
    lines
}

/// Each process of a holder, with whether it is the last one; one `None` if the holder has no process.
fn processes<'a>(
    holder: &'a Holder<'a>,
) -> impl Iterator<Item = (&'a Holder<'a>, Option<&'a HolderProcess<'a>>, bool)> {
    let count = holder.processes.len().max(1);
    (0..count).map(move |index| (holder, holder.processes.get(index), index + 1 == count))
}

/// How many sockets on the port are not in the way.
pub(super) fn also_on_the_port(count: usize) -> Option<Line> {
    let (sockets, verb) = match count {
        0 => return None,
        1 => ("socket", "does"),
        _ => ("sockets", "do"),
    };
    let mut line = Line::default();
    line.push(DIM, format!("  also on the port: {count} {sockets} that {verb} not conflict"));
    Some(line)
}

/// The text if no socket is in the way; `None` if none could be.
fn nobody(refusal: &Refusal<'_>) -> Option<&'static str> {
    match (Errno(refusal.error.number), refusal.socket.port?) {
        // For portless sockets, the sentence of the cause already explains this.
        _ if refusal.holders_truncated => Some("no socket among those looked at; there are more on the port"),
        (Errno::EADDRINUSE | Errno::EAGAIN, 0) => Some("no single socket: any free port would have done"),
        (Errno::EADDRINUSE, _) => Some("no socket that stands in the way was found on the port"),
        _ => None,
    }
}

/// A holder, with one of its owners or without any.
pub(super) fn held_by(
    row: HolderRow<'_>,
    holder: &Holder<'_>,
    process: Option<&HolderProcess<'_>>,
    style: &Style,
) -> Vec<Line> {
    let mut line = label(row.word);
    let known = process.map(Party::from).or_else(|| past(holder));
    if let Some(party) = &known {
        who(party.runs(), party.pid, &mut line);
    }
    line.push(PLAIN, place(row.known, holder));
    line.push(PLAIN, details(row.now, holder, known, process, style));
    if process.is_none() {
        line.push(DIM, format!("   ({})", no_process(holder)));
    }
    let left_by = holder.left_by.as_ref().filter(|_| process.is_none());
    let mut lines = match known.or(left_by.map(Party::from)) {
        Some(party) => {
            let folder = party.folder(row.caller.as_ref());
            spread(line, folder.into_iter().chain(party.groups()).collect(), style)
        }
        None => vec![line],
    };
    if let (Some(party), Some(line)) = (known, lines.last_mut()) {
        let room = style.width.map(|width| width.saturating_sub(line.width()));
        if let Some(chain) = party.ancestry(room) {
            line.push(DIM, chain);
        }
    }
    lines
}

/// The process that opened a holder which has no owner any more.
fn past<'a>(holder: &'a Holder<'_>) -> Option<Party<'a>> {
    let is_open = !holder.processes.is_empty() || holder.more_processes > 0;
    let opened_by = holder.opened_by.as_ref().filter(|_| holder.ownership == "process" && !is_open);
    opened_by.map(Party::from)
}

/// State, address and peer of a socket, and its kind if that is not obvious.
fn place(known: Option<&str>, holder: &Holder<'_>) -> String {
    let peer = holder.peer.as_ref();
    let peer = peer.map(|peer| format!(" ↔ {}", words::endpoint(peer.address, peer.port, None)));
    let place = match known == Some(&*holder.protocol) {
        true => format!("{} {}", words::state(&holder.state), words::bound(holder)),
        false => socket(holder),
    };
    place + &peer.unwrap_or_default()
}

/// State, kind and address of a socket.
pub(super) fn socket(holder: &Holder<'_>) -> String {
    let kind = words::kind(&holder.family, &holder.protocol);
    format!("{} {kind} {}", words::state(&holder.state), words::bound(holder))
}

/// Further details, a few words each.
fn details(
    now: Option<Timestamp>,
    holder: &Holder<'_>,
    known: Option<Party<'_>>,
    process: Option<&HolderProcess<'_>>,
    style: &Style,
) -> String {
    let mut text = String::new();
    if let Some(left) = holder.time_wait_left_ms {
        text.push_str(&format!("   ends in {}.{}s", left / 1000, left % 1000 / 100));
    } else if holder.state == "time_wait" {
        text.push_str("   ends soon");
    }
    if let Some(process) = process.filter(|process| !process.fds.is_empty()) {
        text.push_str(&descriptors(process));
    }
    if let (Some(now), Some(started)) = (now, known.and_then(|party| party.started)) {
        text.push_str(&format!("   up {}", words::span(now.duration_since(started))));
    }
    if let Some(since) = holder.since {
        text.push_str(&format!("   since {}", words::clock(since.0, style)));
    }
    let owner = || words::user(holder.user.as_deref(), holder.uid);
    if let Some(user) = known.and_then(|party| party.user()).or_else(owner) {
        text.push_str(&format!("   uid {user}"));
    }
    text
}

/// The descriptors of a process.
pub(super) fn descriptors(process: &HolderProcess<'_>) -> String {
    let fds: Vec<String> = process.fds.iter().map(ToString::to_string).collect();
    format!("   fd {}", fds.join(","))
}

/// Why a socket has no owner to show.
fn no_process(holder: &Holder<'_>) -> String {
    let reason = match (&*holder.ownership, &holder.left_by) {
        ("time_wait" | "orphan", Some(process)) => {
            return format!("left by {} ({})", Party::from(process).runs(), process.pid);
        }
        ("time_wait", None) => "no process: TIME_WAIT has no owner",
        ("orphan", None) => "no process: its owner closed it, the kernel is finishing the connection",
        ("not_accepted", _) => "no process yet: the connection waits for the listener to accept it",
        ("kernel", _) => "no process: opened by the kernel itself",
        _ if holder.opened_by.is_some() => "it has closed it, or ended",
        _ => "its process could not be found",
    };
    reason.to_owned()
}
