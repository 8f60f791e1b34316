//! Text: a few lines an event, for people.

use std::io;

use super::Style;
use super::line::{CAUSE, DIM, ERROR, Line, NAME, PLAIN};
use super::sanitize::{Escaped, Prose, columns};
use super::words;
use crate::diagnosis::errno::Errno;
use crate::diagnosis::event::{
    Confidence, Holder, HolderProcess, Ownership, Process, Refusal, Socket, State,
};

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
    lines.extend(holders(refusal, style));
    lines.extend(why(refusal, style));
    lines
}

fn headline(refusal: &Refusal, style: &Style) -> Line {
    let socket = &refusal.socket;
    let mut line = Line::default();
    let time = refusal.time.to_zoned(style.zone.clone());
    line.push(DIM, time.strftime("%H:%M:%S%.3f").to_string());
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

fn holders(refusal: &Refusal, style: &Style) -> Vec<Line> {
    let mut lines: Vec<Line> = words::conflicting(&refusal.holders)
        .flat_map(|holder| {
            let processes = holder.processes.iter().map(Some);
            let none = holder.processes.is_empty().then_some(None);
            processes.chain(none).map(move |process| (holder, process))
        })
        .map(|(holder, process)| held_by(&refusal.socket, holder, process, style))
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
    if others > 0 {
        let mut line = Line::default();
        let (sockets, verb) = if others == 1 { ("socket", "does") } else { ("sockets", "do") };
        line.push(DIM, format!("  also on the port: {others} {sockets} that {verb} not conflict"));
        lines.push(line);
    }
    lines
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

fn held_by(asked: &Socket, holder: &Holder, process: Option<&HolderProcess>, style: &Style) -> Line {
    let mut line = label("held by");
    if let Some(process) = process {
        who(&process.process, &mut line);
    }
    socket(asked, holder, &mut line);
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
    let owner = words::user(holder.user.as_deref(), holder.uid);
    let user = process
        .and_then(|process| words::user(process.process.user.as_deref(), process.process.uid))
        .or(owner);
    if let Some(user) = user {
        line.push(PLAIN, format!("   uid {user}"));
    }
    match process {
        Some(process) => {
            let room = style.width.map(|width| width.saturating_sub(line.width()));
            if let Some(chain) = ancestry(&process.process, room) {
                line.push(DIM, chain);
            }
        }
        None => line.push(DIM, format!("   ({})", no_process(holder))),
    }
    line
}

fn socket(asked: &Socket, holder: &Holder, line: &mut Line) {
    line.push(PLAIN, format!("{} ", words::state(holder.state)));
    if holder.protocol != asked.protocol {
        line.push(PLAIN, format!("{} ", words::kind(holder.family, holder.protocol)));
    }
    line.push(PLAIN, words::bound(holder));
    if let Some((address, port)) = holder.peer {
        line.push(PLAIN, format!(" ↔ {}", words::endpoint(address, port, None)));
    }
}

/// Why a socket has no process to name.
const fn no_process(holder: &Holder) -> &'static str {
    match holder.ownership {
        Ownership::TimeWait => "no process: TIME_WAIT has no owner",
        Ownership::Orphan => "no process: its owner closed it, the kernel is finishing the connection",
        Ownership::NotAccepted => "no process yet: the connection waits for the listener to accept it",
        Ownership::Kernel => "no process: opened by the kernel itself",
        Ownership::Process => "its process could not be found",
    }
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
        Confidence::Afterwards => format!("[{}, found afterwards]", refusal.cause.code),
    };
    let room = style.width.map_or(usize::MAX, |width| width.saturating_sub(INDENT).max(MIN_SENTENCE));
    let mut lines = Vec::new();
    let mut line = label("why");
    let mut sentence = String::new();
    for word in Prose(&refusal.cause.summary).to_string().split(' ') {
        if !sentence.is_empty() && columns(&sentence) + 1 + columns(word) > room {
            line.push(PLAIN, std::mem::take(&mut sentence));
            lines.push(std::mem::replace(&mut line, label("")));
        }
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(word);
    }
    let used = columns(&sentence).saturating_add(columns(&tag));
    line.push(PLAIN, sentence);
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

fn who(process: &Process, line: &mut Line) {
    line.push(NAME, Escaped(&process.comm).to_string());
    line.push(PLAIN, format!(" ({})  ", process.pid));
}

fn label(label: &str) -> Line {
    let mut line = Line::default();
    line.push(DIM, format!("  {label:<10}"));
    line
}
