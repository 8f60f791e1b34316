//! The answers of `who`, `check` and `wait`, as text.

use super::holders::{HolderRow, also_on_the_port, held_by, of_refusal};
use super::layout::{note, rendered, sentence};
use super::refusal::{fixes, why};
use crate::diagnosis::unix::Object;
use crate::escape::Escaped;
use crate::event::{self, Operation};
use crate::output::line::{ERROR, Line, NAME, PLAIN};
use crate::output::style::Style;
use crate::output::words;
use crate::ports::{Check, PortOrName, Request, Until, Wait, Who};
use crate::wire::{self, Fix, Holder, Refusal, Socket};

/// The most connections that are shown one by one.
const MOST_CONNECTIONS: usize = 16;
/// Printed if the prediction from the rule and the trial bind disagree.
const UNEXPECTED: &str = "this is what the kernel did; its rule, and the sockets that could be seen, had led to expect \
                          otherwise";
/// The warning about a port in the ephemeral range.
const PICKED: &str = "the kernel may pick this port for any outgoing connection";

/// The holders of a port or a name.
pub(in crate::output) fn who(who: &Who, style: &Style) -> String {
    let mut line = Line::default();
    let subject = heading(&who.request);
    if who.holders.is_empty() {
        let found = match (who.object, &who.request.target) {
            (Some(Object::StaleSocket), _) => {
                format!("{subject}: a socket file that no socket is bound to; portbind free removes it")
            }
            (Some(Object::LiveSocket), _) => {
                format!("{subject}: a socket is bound to it; which one could not be found")
            }
            (Some(Object::Socket | Object::Unseen), _) => {
                format!("{subject}: whether a socket is bound to it cannot be seen; root sees it")
            }
            (_, PortOrName::Port(_)) => format!("{subject} is not in use"),
            (_, PortOrName::Name(_)) => format!("{subject}: no socket is bound to it"),
        };
        line.push(PLAIN, found);
        return rendered(&[line], style);
    }
    line.push(NAME, subject);
    let mut lines = vec![line];
    let known = who.request.protocol.map(wire::protocol);
    let row = HolderRow { word: "held by", known: known.as_deref(), now: Some(who.time), caller: None };
    lines.extend(holders(&who.holders, row, style));
    rendered(&lines, style)
}

/// Whether a bind would succeed.
pub(in crate::output) fn check(check: &Check, style: &Style) -> String {
    let mut lines = match &check.refusal {
        Some(refusal) => {
            let mut line = attempt(&check.socket, refusal.operation);
            line.push(ERROR, refusal.error.to_string());
            let mut lines = vec![line];
            lines.extend(explained(refusal, style));
            lines.extend(fixes(&Refusal::from(refusal).fixes, style));
            lines
        }
        None => {
            let mut line = attempt(&check.socket, Operation::Bind);
            line.push(NAME, "would succeed");
            let mut lines = vec![line];
            lines.extend(also_on_the_port(check.holders.len()));
            lines
        }
    };
    if !check.as_expected {
        lines.extend(sentence("note", UNEXPECTED, None, style));
    }
    for warning in check.warnings.iter().map(Fix::from) {
        let text = format!("{PICKED}; {}", warning.text);
        lines.extend(sentence("note", &text, warning.command.as_deref(), style));
    }
    rendered(&lines, style)
}

/// The result of waiting.
pub(in crate::output) fn wait(wait: &Wait, style: &Style) -> String {
    let socket = Socket::from(&wait.socket);
    let mut line = Line::default();
    line.push(PLAIN, format!("{}  →  ", asked(&socket)));
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
    let row = HolderRow { word, known: Some(&socket.protocol), now: None, caller: None };
    lines.extend(holders(&wait.holders, row, style));
    lines.extend(wait.hopeless.iter().flat_map(|refusal| why(&refusal.into(), style)));
    rendered(&lines, style)
}

/// The sockets in the way, and the cause.
pub(super) fn explained(refusal: &event::Refusal, style: &Style) -> Vec<Line> {
    let refusal = Refusal::from(refusal);
    let mut lines = of_refusal(&refusal, style);
    lines.extend(why(&refusal, style));
    lines
}

fn attempt(socket: &event::Socket, operation: Operation) -> Line {
    let mut line = Line::default();
    line.push(PLAIN, format!("{} {}  →  ", operation.as_str(), asked(&Socket::from(socket))));
    line
}

fn asked(socket: &Socket<'_>) -> String {
    let kind = words::kind(&socket.family, &socket.protocol);
    format!("{kind} {}{}", words::asked(socket), words::netns(socket.netns_name.as_deref()))
}

/// The subject of the question, as a heading.
pub(super) fn heading(request: &Request) -> String {
    let protocol = request
        .protocol
        .map_or_else(String::new, |protocol| format!("{} ", words::protocol(&wire::protocol(protocol))));
    let place = match &request.target {
        PortOrName::Port(port) => format!("{protocol}port {port}"),
        PortOrName::Name(name) => format!("unix {}", Escaped(&name.path().unwrap_or_default())),
    };
    format!("{place}{}", words::netns(request.netns_name.as_deref()))
}

/// Each process of each socket, and how many connections are left out.
fn holders(holders: &[event::Holder], row: HolderRow<'_>, style: &Style) -> Vec<Line> {
    let is_connection =
        |holder: &&event::Holder| !matches!(holder.state, event::State::Listen | event::State::Bound);
    let first = holders.iter().filter(|holder| !is_connection(holder));
    let shown = first.chain(holders.iter().filter(is_connection).take(MOST_CONNECTIONS));
    let mut lines: Vec<Line> = shown.flat_map(|holder| of_holder(&holder.into(), row, style)).collect();
    let more = holders.iter().filter(is_connection).count().saturating_sub(MOST_CONNECTIONS);
    lines.extend((more > 0).then(|| note(format!("and {more} more connections: -o json shows all"))));
    lines
}

pub(super) fn of_holder(holder: &Holder<'_>, row: HolderRow<'_>, style: &Style) -> Vec<Line> {
    let mut lines = if holder.processes.is_empty() {
        held_by(row, holder, None, style)
    } else {
        holder.processes.iter().flat_map(|process| held_by(row, holder, Some(process), style)).collect()
    };
    if matches!(&*holder.protocol, "tcp" | "mptcp") && holder.state == "bound" {
        let words = "bound only: it neither listens nor is connected, and lsof and /proc do not show it";
        lines.push(note(words));
    }
    lines
}
