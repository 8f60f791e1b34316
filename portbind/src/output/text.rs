//! Text: a few lines an event, for people.

mod after;
pub mod command;
mod people;

use std::io;
use std::rc::Rc;

use jiff::Timestamp;

use super::line::{CAUSE, DIM, ERROR, Line, NAME, PLAIN};
use super::style::Style;
use super::{words, wrap};
use crate::escape::{Escaped, columns};
use crate::event::{
    Confidence, Errno, Holder, HolderProcess, Ownership, Process, Protocol, Refusal, ShellCommand, State,
};

pub(super) mod answer;
pub(super) mod freed;
mod timeline;

/// Columns before the text of a line below the first.
const INDENT: usize = 12;
/// How many processes above a holder are named.
const MAX_ANCESTORS: usize = 5;
/// The least columns a sentence is wrapped to.
const MIN_SENTENCE: usize = 20;

/// Writes events as text, with an empty line between them.
#[derive(Debug, Default)]
pub struct TextWriter {
    started: bool,
    lost: u64,
}

impl TextWriter {
    /// Writes one refusal.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged.
    pub fn write(&mut self, refusal: &Refusal, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
        let mut text = String::new();
        if self.started {
            text.push('\n');
        }
        let newly_lost = refusal.lost.saturating_sub(self.lost);
        for line in lines(refusal, style, newly_lost) {
            line.render(style.color, None, &mut text);
        }
        out.write_all(text.as_bytes())?;
        self.started = true;
        self.lost = self.lost.max(refusal.lost);
        Ok(())
    }
}

fn lines(refusal: &Refusal, style: &Style, newly_lost: u64) -> Vec<Line> {
    let mut lines = Vec::new();
    if newly_lost > 0 {
        let mut line = Line::default();
        let refusals = if newly_lost == 1 { "refusal" } else { "refusals" };
        line.push(ERROR, format!("{newly_lost} {refusals} lost before this one"));
        lines.push(line);
    }
    lines.push(headline(refusal, style));
    lines.extend(asked_by(refusal, style));
    lines.extend(holders(refusal, style));
    lines.extend(why(refusal, style));
    lines.extend(fixes(refusal, style));
    lines.extend(timeline::lines(refusal, style));
    lines
}

fn headline(refusal: &Refusal, style: &Style) -> Line {
    let socket = &refusal.socket;
    let mut line = Line::default();
    line.push(DIM, words::clock(refusal.time, style));
    line.push(PLAIN, "  ");
    who(&refusal.process, &mut line);
    let operation = refusal.operation.as_str();
    let kind = words::kind(socket.family, socket.protocol);
    let asked = words::asked(socket);
    let any = if socket.endpoint().is_some_and(|(_, port)| port == 0) { " (any)" } else { "" };
    line.push(PLAIN, format!("{operation} {kind} {asked}{any}  →  "));
    line.push(ERROR, refusal.error.to_string());
    line
}

/// Who is behind the caller, where more is known than the headline says.
fn asked_by(refusal: &Refusal, style: &Style) -> Vec<Line> {
    let groups = people::groups(&refusal.process);
    if groups.is_empty() { Vec::new() } else { spread(label("asked by"), groups, style) }
}

/// Adds groups of words to a line, those that do not fit below it.
fn spread(mut line: Line, groups: Vec<String>, style: &Style) -> Vec<Line> {
    let mut lines = Vec::new();
    for group in groups {
        let gap = if line.width() > INDENT { "   " } else { "" };
        let needed = line.width() + gap.len() + columns(&group);
        if gap.is_empty() || style.width.is_none_or(|width| needed <= width) {
            line.push(PLAIN, format!("{gap}{group}"));
        } else {
            lines.push(std::mem::replace(&mut line, label("")));
            line.push(PLAIN, group);
        }
    }
    lines.push(line);
    lines
}

fn holders(refusal: &Refusal, style: &Style) -> Vec<Line> {
    let teller = Teller { word: "held by", known: Some(refusal.socket.protocol), now: None };
    let mut lines: Vec<Line> = words::conflicting(&refusal.holders)
        .flat_map(|holder| {
            let processes = holder.processes.iter().map(Some);
            let none = holder.processes.is_empty().then_some(None);
            let lines =
                processes.chain(none).flat_map(move |process| held_by(teller, holder, process, style));
            lines.chain(more_processes(holder.more_processes))
        })
        .collect();
    let others = refusal.holders.iter().filter(|holder| !holder.conflicts).count();
    if lines.is_empty() {
        if let Some(words) = nobody(refusal) {
            let mut line = label("held by");
            line.push(PLAIN, words);
            lines.push(line);
        }
    } else if refusal.holders_truncated {
        let mut line = label("");
        line.push(
            DIM,
            match refusal.holders.len() - others {
                1 => "and more: only the first is shown".to_owned(),
                shown => format!("and more: only the first {shown} are shown"),
            },
        );
        lines.push(line);
    }
    let others = others.saturating_add(usize::try_from(refusal.bystanders).unwrap_or(usize::MAX));
    lines.extend(also_on_the_port(others));
    lines
}

/// How many more processes have the socket of the lines above open.
fn more_processes(count: u64) -> Option<Line> {
    let words = words::more_processes(count)?;
    let mut line = label("");
    line.push(DIM, words);
    Some(line)
}

/// How many sockets on the port do not stand in the way.
fn also_on_the_port(count: usize) -> Option<Line> {
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
fn nobody(refusal: &Refusal) -> Option<&'static str> {
    match refusal.error {
        // The sentence that says why tells what was found.
        _ if refusal.socket.name.is_some() => None,
        _ if refusal.holders_truncated => Some("no socket among those looked at; there are more on the port"),
        Errno::EADDRINUSE | Errno::EAGAIN if refusal.socket.port == 0 => {
            Some("no single socket: any free port would have done")
        }
        Errno::EADDRINUSE => Some("no socket that stands in the way was found on the port"),
        _ => None,
    }
}

/// What the line of a holder leaves out, and what it adds.
#[derive(Clone, Copy)]
struct Teller {
    /// What stands in front.
    word: &'static str,
    /// The protocol that goes without saying.
    known: Option<Protocol>,
    /// The present, to tell how long a process has been running.
    now: Option<Timestamp>,
}

fn held_by(teller: Teller, holder: &Holder, process: Option<&HolderProcess>, style: &Style) -> Vec<Line> {
    let mut line = label(teller.word);
    let known = process.map(|process| &process.process).or_else(|| past(holder));
    if let Some(process) = known {
        who(process, &mut line);
    }
    socket(teller.known, holder, &mut line);
    if let Some(left) = holder.time_wait_left_ms {
        line.push(PLAIN, format!("   ends in {}.{}s", left / 1000, left % 1000 / 100));
    } else if holder.state == State::TimeWait {
        line.push(PLAIN, "   ends soon");
    }
    if let Some(HolderProcess { fds, .. }) = process
        && !fds.is_empty()
    {
        let fds: Vec<String> = fds.iter().map(ToString::to_string).collect();
        line.push(PLAIN, format!("   fd {}", fds.join(",")));
    }
    if let (Some(now), Some(started)) = (teller.now, known.and_then(|process| process.started)) {
        line.push(PLAIN, format!("   up {}", words::span(now.duration_since(started))));
    }
    if let Some(since) = holder.since {
        line.push(PLAIN, format!("   since {}", words::clock(since, style)));
    }
    let owner = words::user(holder.user.as_deref(), holder.uid);
    let user = known.and_then(|process| words::user(process.user.as_deref(), process.uid)).or(owner);
    if let Some(user) = user {
        line.push(PLAIN, format!("   uid {user}"));
    }
    if process.is_none() {
        line.push(DIM, format!("   ({})", no_process(holder)));
    }
    let left_by = holder.left_by.as_ref().filter(|_| process.is_none());
    let mut lines = match known.or(left_by) {
        Some(process) => spread(line, people::groups(process), style),
        None => vec![line],
    };
    if let (Some(process), Some(line)) = (known, lines.last_mut()) {
        let room = style.width.map(|width| width.saturating_sub(line.width()));
        if let Some(chain) = ancestry(process, room) {
            line.push(DIM, chain);
        }
    }
    lines
}

/// The process that opened a holder which no process has open any more.
fn past(holder: &Holder) -> Option<&Rc<Process>> {
    holder.opened_by.as_ref().filter(|_| holder.is_of_the_past())
}

fn socket(known: Option<Protocol>, holder: &Holder, line: &mut Line) {
    if known == Some(holder.protocol) {
        line.push(PLAIN, format!("{} {}", words::state(holder.state), words::bound(holder)));
    } else {
        holder_socket(holder, line);
    }
    if let Some((address, port)) = holder.peer {
        line.push(PLAIN, format!(" ↔ {}", words::endpoint(address, port, None)));
    }
}

/// State, kind and place of a socket.
fn holder_socket(holder: &Holder, line: &mut Line) {
    let kind = words::kind(holder.family, holder.protocol);
    line.push(PLAIN, format!("{} {kind} {}", words::state(holder.state), words::bound(holder)));
}

/// Why a socket has no process to name.
fn no_process(holder: &Holder) -> String {
    let reason = match holder.ownership {
        Ownership::TimeWait | Ownership::Orphan if let Some(process) = &holder.left_by => {
            return format!("left by {} ({})", Escaped(&process.comm), process.pid);
        }
        Ownership::TimeWait => "no process: TIME_WAIT has no owner",
        Ownership::Orphan => "no process: its owner closed it, the kernel is finishing the connection",
        Ownership::NotAccepted => "no process yet: the connection waits for the listener to accept it",
        Ownership::Kernel => "no process: opened by the kernel itself",
        Ownership::Process if holder.opened_by.is_some() => "it has closed it, or ended",
        Ownership::Process => "its process could not be found",
    };
    reason.to_owned()
}

/// The names from the farthest process above down to `process`, as many as fit.
fn ancestry(process: &Process, room: Option<usize>) -> Option<String> {
    let above: Vec<_> = process.ancestors.iter().filter(|ancestor| ancestor.pid != 1).collect();
    (1..=above.len().min(MAX_ANCESTORS)).rev().find_map(|count| {
        let mut chain = String::from(if count < above.len() { "   … → " } else { "   " });
        for ancestor in above[..count].iter().rev() {
            chain.push_str(&format!("{} → ", Escaped(&ancestor.comm)));
        }
        chain.push_str(&Escaped(&process.comm).to_string());
        room.is_none_or(|room| columns(&chain) <= room).then_some(chain)
    })
}

fn why(refusal: &Refusal, style: &Style) -> Vec<Line> {
    let tag = match refusal.confidence {
        Confidence::Kernel => format!("[{}]", refusal.cause.code),
        Confidence::History => format!("[{}, from history]", refusal.cause.code),
        Confidence::Afterwards => format!("[{}, found afterwards]", refusal.cause.code),
    };
    let (mut lines, mut line) = sentence("why", &refusal.cause.summary, None, style);
    let used = line.width().saturating_sub(INDENT).saturating_add(columns(&tag));
    let room = room(style);
    if used.saturating_add(8) <= room {
        line.push(PLAIN, " ".repeat(8));
    } else if used.saturating_add(2) <= room {
        line.push(PLAIN, "  ");
    } else {
        lines.push(std::mem::replace(&mut line, label("")));
    }
    line.push(CAUSE, tag);
    lines.push(line);
    lines
}

fn fixes(refusal: &Refusal, style: &Style) -> Vec<Line> {
    let labels = std::iter::once("fix").chain(std::iter::repeat("or"));
    let lines =
        refusal.fixes.iter().zip(labels).map(|(fix, word)| {
            sentence(word, &fix.text, fix.command.as_ref().map(ShellCommand::as_str), style)
        });
    lines
        .flat_map(|(mut lines, last)| {
            lines.push(last);
            lines
        })
        .collect()
}

/// Columns for a sentence.
fn room(style: &Style) -> usize {
    style.width.map_or(usize::MAX, |width| width.saturating_sub(INDENT).max(MIN_SENTENCE))
}

/// A sentence, wrapped: the full lines, and the last one. A command at its end stays whole.
fn sentence(word: &str, text: &str, command: Option<&str>, style: &Style) -> (Vec<Line>, Line) {
    let mut lines = Vec::new();
    let mut line = label(word);
    let mut sentence = String::new();
    for word in wrap::pieces(text, command) {
        if !sentence.is_empty() && columns(&sentence) + 1 + columns(&word) > room(style) {
            line.push(PLAIN, std::mem::take(&mut sentence));
            lines.push(std::mem::replace(&mut line, label("")));
        }
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(&word);
    }
    line.push(PLAIN, sentence);
    (lines, line)
}

fn who(process: &Process, line: &mut Line) {
    line.push(NAME, Escaped(&process.comm).to_string());
    line.push(PLAIN, format!(" ({})  ", process.pid));
}

fn label(label: &str) -> Line {
    let mut line = Line::default();
    line.push(DIM, format!("  {label:<10}"));
    line
}
