//! The sockets on a port and who has them open, a line a process.

use jiff::Timestamp;

use super::layout::{at_most, label, note, spread, who};
use super::people::Party;
use crate::escape::Escaped;
use crate::event::Errno;
use crate::output::line::{DIM, Line, PLAIN};
use crate::output::style::Style;
use crate::output::words;
use crate::wire::{Holder, HolderProcess, Refusal};

/// Lines of the holders of one refusal. A live refusal has fewer: 32 holders, and 16 processes that are described.
const MOST_LINES: usize = 48;

/// What the line of a holder leaves out, and what it adds.
#[derive(Clone, Copy)]
pub(super) struct HolderRow<'a> {
    /// What stands in front.
    pub(super) word: &'static str,
    /// The protocol that goes without saying.
    pub(super) known: Option<&'a str>,
    /// The present, to say how long a process has been running.
    pub(super) now: Option<Timestamp>,
}

/// What stands in the way of a refused call.
pub(super) fn of_refusal(refusal: &Refusal<'_>, style: &Style) -> Vec<Line> {
    let row = HolderRow { word: "held by", known: Some(&refusal.socket.protocol), now: None };
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

/// Each process of a holder and whether it is the last one, or that there is none.
fn processes<'a>(
    holder: &'a Holder<'a>,
) -> impl Iterator<Item = (&'a Holder<'a>, Option<&'a HolderProcess<'a>>, bool)> {
    let count = holder.processes.len().max(1);
    (0..count).map(move |index| (holder, holder.processes.get(index), index + 1 == count))
}

/// How many sockets on the port do not stand in the way.
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

/// What to say where no socket stands in the way; nothing where none could.
fn nobody(refusal: &Refusal<'_>) -> Option<&'static str> {
    match (Errno(refusal.error.number), refusal.socket.port?) {
        // The sentence that says why has it, of sockets without a port.
        _ if refusal.holders_truncated => Some("no socket among those looked at; there are more on the port"),
        (Errno::EADDRINUSE | Errno::EAGAIN, 0) => Some("no single socket: any free port would have done"),
        (Errno::EADDRINUSE, _) => Some("no socket that stands in the way was found on the port"),
        _ => None,
    }
}

/// A holder, with one of the processes that have it open or without any.
pub(super) fn held_by(
    row: HolderRow<'_>,
    holder: &Holder<'_>,
    process: Option<&HolderProcess<'_>>,
    style: &Style,
) -> Vec<Line> {
    let mut line = label(row.word);
    let known = process.map(Party::from).or_else(|| past(holder));
    if let Some(party) = &known {
        who(party.comm, party.pid, &mut line);
    }
    line.push(PLAIN, place(row.known, holder));
    line.push(PLAIN, details(row.now, holder, known, process, style));
    if process.is_none() {
        line.push(DIM, format!("   ({})", no_process(holder)));
    }
    let left_by = holder.left_by.as_ref().filter(|_| process.is_none());
    let mut lines = match known.or(left_by.map(Party::from)) {
        Some(party) => spread(line, party.groups(), style),
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

/// The process that opened a holder which no process has open any more.
fn past<'a>(holder: &'a Holder<'_>) -> Option<Party<'a>> {
    let is_open = !holder.processes.is_empty() || holder.more_processes > 0;
    let opened_by = holder.opened_by.as_ref().filter(|_| holder.ownership == "process" && !is_open);
    opened_by.map(Party::from)
}

/// State, place and other end of a socket, and its kind where that does not go without saying.
fn place(known: Option<&str>, holder: &Holder<'_>) -> String {
    let peer = holder.peer.as_ref();
    let peer = peer.map(|peer| format!(" ↔ {}", words::endpoint(peer.address, peer.port, None)));
    let place = match known == Some(&*holder.protocol) {
        true => format!("{} {}", words::state(&holder.state), words::bound(holder)),
        false => socket(holder),
    };
    place + &peer.unwrap_or_default()
}

/// State, kind and place of a socket.
pub(super) fn socket(holder: &Holder<'_>) -> String {
    let kind = words::kind(&holder.family, &holder.protocol);
    format!("{} {kind} {}", words::state(&holder.state), words::bound(holder))
}

/// What is known besides, a few words each.
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

/// Why a socket has no process to name.
fn no_process(holder: &Holder<'_>) -> String {
    let reason = match (&*holder.ownership, &holder.left_by) {
        ("time_wait" | "orphan", Some(process)) => {
            return format!("left by {} ({})", Escaped(&process.comm), process.pid);
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
