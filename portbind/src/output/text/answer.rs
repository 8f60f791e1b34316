//! What the helpers answer, for people.

use super::{DIM, ERROR, Line, NAME, PLAIN, Style, Teller, held_by, label, words};
use crate::diagnosis::answer::{Check, Place, Subject, Until, Wait, Who};
use crate::event::{Family, Holder, Operation, Protocol, ShellCommand, Socket, State};

/// Sockets that neither listen nor are bound only, and are shown one by one.
const MOST_CONNECTIONS: usize = 16;
/// What is said where rule and trial disagree.
const UNEXPECTED: &str = "this is what the kernel did; its rule, and the sockets that could be seen, had led to expect \
                          otherwise";
/// What a port in the ephemeral range is in for.
const PICKED: &str = "the kernel may pick this port for any outgoing connection";

/// Who is on a port, or has a name.
pub(in crate::output) fn who(who: &Who, style: &Style) -> String {
    let mut line = Line::default();
    let subject = subject(&who.subject);
    if who.holders.is_empty() {
        let found = match (who.is_stale, &who.subject.place) {
            (true, _) => {
                format!("{subject}: a socket file that no socket is bound to; portbind free removes it")
            }
            (false, Place::Port(_)) => format!("{subject}: nobody is on it"),
            (false, Place::Name(_)) => format!("{subject}: no socket is bound to it"),
        };
        line.push(PLAIN, found);
        return rendered(&[line], style);
    }
    line.push(NAME, subject);
    let mut lines = vec![line];
    lines.extend(holders(
        &who.holders,
        Teller { word: "held by", known: who.subject.protocol, now: Some(who.time) },
        style,
    ));
    rendered(&lines, style)
}

/// Whether a bind would succeed.
pub(in crate::output) fn check(check: &Check, style: &Style) -> String {
    let mut lines = match &check.refusal {
        Some(refusal) => {
            let mut lines = vec![attempt(&check.socket, refusal.operation)];
            lines.iter_mut().for_each(|line| line.push(ERROR, refusal.error.to_string()));
            lines.extend(super::holders(refusal, style));
            lines.extend(super::why(refusal, style));
            lines.extend(super::fixes(refusal, style));
            lines
        }
        None => {
            let mut line = attempt(&check.socket, Operation::Bind);
            line.push(NAME, "would succeed");
            let mut lines = vec![line];
            lines.extend(super::also_on_the_port(check.holders.len()));
            lines
        }
    };
    if !check.as_expected {
        lines.extend(note(UNEXPECTED, style));
    }
    for warning in &check.warnings {
        lines.extend(note_with(&format!("{PICKED}; {}", warning.text), warning.command.as_ref(), style));
    }
    rendered(&lines, style)
}

/// What came of waiting.
pub(in crate::output) fn wait(wait: &Wait, style: &Style) -> String {
    let socket = &wait.socket;
    let mut line = Line::default();
    let kind = words::kind(socket.family, socket.protocol);
    let place = words::netns(socket.netns_name.as_deref());
    line.push(PLAIN, format!("{kind} {}{place}  →  ", words::asked(socket)));
    let waited = wait.waited.as_secs_f64();
    match (wait.until, wait.reached) {
        (Until::Free, true) => line.push(NAME, format!("free after {waited:.3}s")),
        (Until::Listening, true) => line.push(NAME, format!("somebody listens after {waited:.3}s")),
        (Until::Free, false) if wait.hopeless.is_some() => line.push(ERROR, "waiting does not help"),
        (Until::Free, false) => line.push(ERROR, format!("still not free after {waited:.3}s")),
        (Until::Listening, false) => line.push(ERROR, format!("nobody listens after {waited:.3}s")),
    }
    let mut lines = vec![line];
    let word = if wait.until == Until::Free && wait.reached { "before" } else { "held by" };
    let teller = Teller { word, known: Some(socket.protocol), now: None };
    lines.extend(holders(&wait.holders, teller, style));
    lines.extend(wait.hopeless.iter().flat_map(|refusal| super::why(refusal, style)));
    rendered(&lines, style)
}

fn attempt(socket: &Socket, operation: Operation) -> Line {
    let mut line = Line::default();
    let kind = words::kind(socket.family, socket.protocol);
    let place = words::netns(socket.netns_name.as_deref());
    line.push(PLAIN, format!("{} {kind} {}{place}  →  ", operation.as_str(), words::asked(socket)));
    line
}

/// A sentence beside the answer.
pub(super) fn note(text: &str, style: &Style) -> Vec<Line> {
    note_with(text, None, style)
}

/// A sentence beside the answer, with the command that it ends with.
fn note_with(text: &str, command: Option<&ShellCommand>, style: &Style) -> Vec<Line> {
    let (mut lines, last) = super::sentence("note", text, command.map(ShellCommand::as_str), style);
    lines.push(last);
    lines
}

/// What was asked about, as a heading.
pub(super) fn subject(subject: &Subject) -> String {
    let protocol = subject
        .protocol
        .map_or_else(String::new, |protocol| format!("{} ", words::kind(Family::Inet, protocol)));
    let place = match &subject.place {
        Place::Port(port) => format!("{protocol}port {port}"),
        Place::Name(name) => format!("unix {}", words::name(name, Protocol::Stream)),
    };
    format!("{place}{}", words::netns(subject.netns_name.as_deref()))
}

/// Each process of each socket, and how many connections are left out.
fn holders(holders: &[Holder], teller: Teller, style: &Style) -> Vec<Line> {
    let is_rank_and_file = |holder: &&Holder| !matches!(holder.state, State::Listen | State::Bound);
    let first = holders.iter().filter(|holder| !is_rank_and_file(holder));
    let connections: Vec<&Holder> = holders.iter().filter(is_rank_and_file).collect();
    let shown = connections.iter().take(MOST_CONNECTIONS).copied();
    let mut lines: Vec<Line> =
        first.chain(shown).flat_map(|holder| of_holder(holder, teller, style)).collect();
    if let Some(more) = connections.len().checked_sub(MOST_CONNECTIONS).filter(|more| *more > 0) {
        let mut line = label("");
        line.push(DIM, format!("and {more} more connections: -o json tells all"));
        lines.push(line);
    }
    lines
}

pub(super) fn of_holder(holder: &Holder, teller: Teller, style: &Style) -> Vec<Line> {
    let mut lines = if holder.processes.is_empty() {
        held_by(teller, holder, None, style)
    } else {
        holder.processes.iter().flat_map(|process| held_by(teller, holder, Some(process), style)).collect()
    };
    let is_stream = matches!(holder.protocol, Protocol::Tcp | Protocol::Mptcp);
    if is_stream && holder.state == State::Bound {
        let mut line = label("");
        line.push(DIM, "bound only: it neither listens nor is connected, and lsof and /proc do not show it");
        lines.push(line);
    }
    lines
}

pub(super) fn rendered(lines: &[Line], style: &Style) -> String {
    let mut text = String::new();
    for line in lines {
        line.render(style.color, None, &mut text);
    }
    text
}
