//! A refused bind: the caller, the address, the holders, the cause and the remedies.

use super::holders::of_refusal;
use super::layout::{INDENT, label, room, sentence, spread, who};
use super::people::Party;
use super::timeline;
use crate::escape::{Escaped, columns};
use crate::output::line::{CAUSE, DIM, ERROR, Line, PLAIN};
use crate::output::style::Style;
use crate::output::words;
use crate::wire::{Fix, OnBehalf, Refusal};

/// All lines; `newly_lost` refusals were lost before this one.
pub(in crate::output) fn lines(refusal: &Refusal<'_>, style: &Style, newly_lost: u64) -> Vec<Line> {
    let mut lines = Vec::new();
    if newly_lost > 0 {
        let mut line = Line::default();
        let refusals = if newly_lost == 1 { "refusal" } else { "refusals" };
        line.push(ERROR, format!("{newly_lost} {refusals} lost before this one"));
        lines.push(line);
    }
    lines.push(headline(refusal, style));
    lines.extend(asked_by(refusal, style));
    lines.extend(refusal.on_behalf.iter().flat_map(|work| sentence("for", &on_behalf(work), None, style)));
    lines.extend(of_refusal(refusal, style));
    lines.extend(relation(refusal, style));
    lines.extend(why(refusal, style));
    lines.extend(fixes(&refusal.fixes, style));
    lines.extend(timeline::lines(refusal, style));
    lines
}

fn headline(refusal: &Refusal<'_>, style: &Style) -> Line {
    let socket = &refusal.socket;
    let mut line = Line::default();
    line.push(DIM, words::clock(refusal.time.0, style));
    line.push(PLAIN, "  ");
    who(Party::from(&refusal.process).runs(), refusal.process.pid, &mut line);
    let operation = Escaped(&refusal.operation);
    let kind = words::kind(&socket.family, &socket.protocol);
    let any = if socket.port == Some(0) { " (any)" } else { "" };
    line.push(PLAIN, format!("{operation} {kind} {}{any}  →  ", words::asked(socket)));
    line.push(ERROR, words::error(&refusal.error));
    line
}

/// The surroundings of the caller, if more is known than the headline shows.
fn asked_by(refusal: &Refusal<'_>, style: &Style) -> Vec<Line> {
    let caller = Party::from(&refusal.process);
    let holders = words::conflicting(refusal).flat_map(|holder| &holder.processes).map(Party::from);
    let folder = holders.filter_map(|holder| caller.folder(Some(&holder))).next();
    let groups: Vec<String> = folder.into_iter().chain(caller.groups()).collect();
    if groups.is_empty() { Vec::new() } else { spread(label("asked by"), groups, style) }
}

/// Whose work the daemon of the refused process did.
fn on_behalf(work: &OnBehalf<'_>) -> String {
    let daemon = Escaped(&work.daemon);
    let Some(client) = &work.client else {
        return format!(
            "{daemon} works for others, too: no client names the port, the container or the unit"
        );
    };
    let name = work.name.as_deref().map_or_else(String::new, |name| format!(" {}", Escaped(name)));
    let what = match work.by.as_deref() {
        Some("port") => format!("publish the port through {daemon}"),
        Some("container") => format!("name the container{name}"),
        Some("unit") => format!("name the unit{name}"),
        _ => format!("are the command that {daemon} runs there"),
    };
    format!("{} ({}), whose arguments {what}", Escaped(&client.comm), client.pid)
}

/// How the caller and the holder are related.
pub(super) fn relation(refusal: &Refusal<'_>, style: &Style) -> Vec<Line> {
    refusal.relation.iter().flat_map(|relation| sentence("relation", &relation.text, None, style)).collect()
}

/// The cause, followed by its code.
pub(super) fn why(refusal: &Refusal<'_>, style: &Style) -> Vec<Line> {
    let code = Escaped(&refusal.cause.code);
    let tag = match &*refusal.confidence {
        "kernel" => format!("[{code}]"),
        "history" => format!("[{code}, from history]"),
        "afterwards" => format!("[{code}, found afterwards]"),
        other => format!("[{code}, {}]", Escaped(other)),
    };
    let mut lines = sentence("why", &refusal.cause.summary, None, style);
    let mut line = lines.pop().unwrap_or_default();
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

/// The remedies.
pub(super) fn fixes(fixes: &[Fix<'_>], style: &Style) -> Vec<Line> {
    let labels = std::iter::once("fix").chain(std::iter::repeat("or"));
    let lines = fixes.iter().zip(labels);
    lines.flat_map(|(fix, word)| sentence(word, &fix.text, fix.command.as_deref(), style)).collect()
}
