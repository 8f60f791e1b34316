//! A recorded refusal as text, laid out as `trace` tells it.

use std::borrow::Cow;
use std::net::IpAddr;

use super::line::{CAUSE, DIM, ERROR, Line, NAME, PLAIN};
use super::style::Style;
use super::{words, wrap};
use crate::escape::{Escaped, TestName, columns};
use crate::secrets::mask_text;
use crate::wire::{Container, Holder, HolderProcess, Interface, Opener, Refusal, Relative, Socket, Test};

/// Holders that are shown; those behind them are counted.
const SHOWN: usize = 8;
/// How many processes above a holder are named.
const MAX_ANCESTORS: usize = 5;
/// Columns before the text of a line.
const INDENT: usize = 12;
/// The least columns a sentence is wrapped to.
const MIN_SENTENCE: usize = 20;

/// Who was refused what, by whom it was held, why, and what helps.
pub(super) fn lines(refusal: &Refusal<'_>, style: &Style) -> Vec<Line> {
    let mut lines = vec![headline(refusal, style)];
    let process = &refusal.process;
    let unit = (process.unit.as_deref(), process.cgroup.as_deref());
    let people = people(process.container.as_ref(), unit, process.test.as_ref());
    if !people.is_empty() {
        let mut line = label("asked by");
        line.push(PLAIN, people.join("   "));
        lines.push(line);
    }
    lines.extend(holders(refusal, style));
    let tag = match &*refusal.confidence {
        "kernel" => format!("[{}]", Escaped(&refusal.cause.code)),
        other => format!("[{}, {}]", Escaped(&refusal.cause.code), Escaped(other)),
    };
    lines.extend(sentence("why", (&refusal.cause.summary, None), Some(&tag), style));
    let labels = std::iter::once("fix").chain(std::iter::repeat("or"));
    for (fix, word) in refusal.fixes.iter().zip(labels) {
        lines.extend(sentence(word, (&fix.text, fix.command.as_deref()), None, style));
    }
    lines
}

fn headline(refusal: &Refusal<'_>, style: &Style) -> Line {
    let mut line = label("refused");
    line.push(DIM, words::clock(refusal.time.0, style));
    line.push(PLAIN, "  ");
    line.push(NAME, Escaped(&refusal.process.comm).to_string());
    let (pid, operation) = (refusal.process.pid, Escaped(&refusal.operation));
    line.push(PLAIN, format!(" ({pid})  {operation} {}  →  ", asked(&refusal.socket)));
    let error = refusal.error.name.as_deref().map(|name| Escaped(name).to_string());
    line.push(ERROR, error.unwrap_or_else(|| format!("errno {}", refusal.error.number)));
    line
}

/// Protocol or family, and the address, path or name asked for.
pub(super) fn asked(socket: &Socket<'_>) -> String {
    let kind = kind(&socket.family, &socket.protocol);
    match (socket.address.zip(socket.port), &socket.path) {
        (Some((address, port)), _) => {
            let any = if port == 0 { " (any)" } else { "" };
            format!("{kind} {}{any}", endpoint(address, port, socket.interface.as_ref()))
        }
        (None, Some(path)) => format!("{kind} {}", Escaped(path)),
        (None, None) => kind,
    }
}

fn kind(family: &str, protocol: &str) -> String {
    match (family, protocol) {
        ("inet" | "inet6", _) => Escaped(protocol).to_string(),
        (_, "dgram" | "seqpacket") => format!("{}-{protocol}", Escaped(family)),
        _ => Escaped(family).to_string(),
    }
}

fn endpoint(address: IpAddr, port: u16, interface: Option<&Interface<'_>>) -> String {
    let interface = interface.map(|interface| crate::event::Interface {
        index: interface.index,
        name: interface.name.as_deref().map(str::to_owned),
    });
    words::endpoint(address, port, interface.as_ref())
}

fn holders(refusal: &Refusal<'_>, style: &Style) -> Vec<Line> {
    let conflicting = refusal.holders.iter().filter(|holder| holder.conflicts);
    let mut all = conflicting.clone().flat_map(|holder| {
        let none = holder.processes.is_empty().then_some(None);
        holder.processes.iter().map(Some).chain(none).map(move |process| (holder, process))
    });
    let mut lines: Vec<Line> = all
        .by_ref()
        .take(SHOWN)
        .map(|(holder, process)| held_by(holder, process, &refusal.socket, style))
        .collect();
    let more: u64 = conflicting.fold(0, |sum, holder| holder.more_processes.saturating_add(sum));
    let left = u64::try_from(all.count()).unwrap_or(u64::MAX).saturating_add(more);
    if left > 0 || (refusal.holders_truncated && !lines.is_empty()) {
        let mut line = label("");
        line.push(DIM, if left > 0 { format!("and {left} more") } else { "and more".to_owned() });
        lines.push(line);
    }
    lines
}

fn held_by(
    holder: &Holder<'_>,
    process: Option<&HolderProcess<'_>>,
    asked: &Socket<'_>,
    style: &Style,
) -> Line {
    let mut line = label("held by");
    let opener = holder.opened_by.as_ref().filter(|_| holder.ownership == "process");
    let known = process.map(|process| (&process.comm, process.pid));
    if let Some((comm, pid)) = known.or_else(|| opener.map(|opener| (&opener.comm, opener.pid))) {
        line.push(NAME, Escaped(comm).to_string());
        line.push(PLAIN, format!(" ({pid})  "));
    }
    line.push(PLAIN, place(holder, asked));
    if let Some(left) = holder.time_wait_left_ms {
        line.push(PLAIN, format!("   ends in {}.{}s", left / 1000, left % 1000 / 100));
    }
    if let Some(process) = process.filter(|process| !process.fds.is_empty()) {
        let fds: Vec<String> = process.fds.iter().map(ToString::to_string).collect();
        line.push(PLAIN, format!("   fd {}", fds.join(",")));
    }
    if let Some(since) = holder.since {
        line.push(PLAIN, format!("   since {}", words::clock(since.0, style)));
    }
    let user = process.and_then(|process| words::user(process.user.as_deref(), process.uid));
    if let Some(user) = user.or_else(|| words::user(holder.user.as_deref(), holder.uid)) {
        line.push(PLAIN, format!("   uid {user}"));
    }
    match process {
        None => line.push(DIM, format!("   ({})", no_process(holder))),
        Some(process) => {
            let unit = (process.unit.as_deref(), process.cgroup.as_deref());
            for words in people(process.container.as_ref(), unit, process.test.as_ref()) {
                line.push(PLAIN, format!("   {words}"));
            }
            line.push(DIM, chain(&process.ancestors, &process.comm));
        }
    }
    line
}

/// Who is behind a process: container, unit (beside the cgroup) and test.
fn people(
    container: Option<&Container<'_>>,
    (unit, cgroup): (Option<&str>, Option<&str>),
    test: Option<&Test<'_>>,
) -> Vec<String> {
    let is_in_container = container.is_some();
    let container = container.map(|container| {
        let short: String = container.id.chars().take(12).collect();
        format!("container {}", Escaped(container.name.as_deref().unwrap_or(&short)))
    });
    let unit =
        unit.filter(|unit| !unit.ends_with(".scope")).map(|unit| words::unit(unit, is_in_container, cgroup));
    let test = test.and_then(|test| {
        let name = test.name.as_deref()?;
        let by = test.worker.as_deref().or(test.runner.as_deref()).unwrap_or_default();
        Some(format!("test {} ({})", TestName(&mask_text(name)), Escaped(by)))
    });
    container.into_iter().chain(unit).chain(test).collect()
}

/// State, address and other end of a socket.
fn place(holder: &Holder<'_>, asked: &Socket<'_>) -> String {
    let state =
        holder.state.to_uppercase().replace('_', "-").replace("WAIT1", "WAIT-1").replace("WAIT2", "WAIT-2");
    let mut text = Escaped(&state).to_string();
    if holder.protocol != asked.protocol {
        text.push_str(&format!(" {}", kind(&holder.family, &holder.protocol)));
    }
    match (holder.address.zip(holder.port), &holder.path) {
        (Some((address, port)), _) => {
            text.push_str(&format!(" {}", endpoint(address, port, holder.interface.as_ref())));
        }
        (None, Some(path)) => text.push_str(&format!(" {}", Escaped(path))),
        (None, None) => {}
    }
    if let Some(peer) = &holder.peer {
        text.push_str(&format!(" ↔ {}", words::endpoint(peer.address, peer.port, None)));
    }
    text
}

/// Why a socket has no process to name.
fn no_process(holder: &Holder<'_>) -> Cow<'static, str> {
    let left_by =
        |process: &Opener<'_>| format!("left by {} ({})", Escaped(&process.comm), process.pid).into();
    match (&*holder.ownership, &holder.left_by) {
        ("time_wait" | "orphan", Some(process)) => left_by(process),
        ("time_wait", None) => "no process: TIME_WAIT has no owner".into(),
        ("orphan", None) => "no process: its owner closed it".into(),
        ("not_accepted", _) => "no process yet: the connection waits to be accepted".into(),
        ("kernel", _) => "no process: opened by the kernel itself".into(),
        _ if holder.opened_by.is_some() => "it has closed it, or ended".into(),
        _ => "its process could not be found".into(),
    }
}

/// The names from the farthest process above down to the process itself.
fn chain(ancestors: &[Relative<'_>], comm: &str) -> String {
    let above: Vec<&Relative<'_>> =
        ancestors.iter().filter(|ancestor| ancestor.pid != 1).take(MAX_ANCESTORS).collect();
    if above.is_empty() {
        return String::new();
    }
    let names = above.iter().rev().map(|ancestor| Escaped(&ancestor.comm).to_string());
    format!("   {}", names.chain([Escaped(comm).to_string()]).collect::<Vec<_>>().join(" → "))
}

/// A sentence behind a label, wrapped, and a tag at its end; the command that the sentence ends with stays whole.
pub(super) fn sentence(
    word: &str,
    (text, command): (&str, Option<&str>),
    tag: Option<&str>,
    style: &Style,
) -> Vec<Line> {
    let room = style.width.map_or(usize::MAX, |width| width.saturating_sub(INDENT).max(MIN_SENTENCE));
    let mut lines = Vec::new();
    let mut line = label(word);
    let mut used = 0;
    for word in wrap::pieces(text, command) {
        if used > 0 && used + 1 + columns(&word) > room {
            lines.push(std::mem::replace(&mut line, label("")));
            used = 0;
        }
        let gap = if used > 0 { " " } else { "" };
        line.push(PLAIN, format!("{gap}{word}"));
        used += gap.len() + columns(&word);
    }
    if let Some(tag) = tag {
        match used.saturating_add(8 + columns(tag)) <= room {
            true => line.push(PLAIN, " ".repeat(8)),
            false => lines.push(std::mem::replace(&mut line, label(""))),
        }
        line.push(CAUSE, tag);
    }
    lines.push(line);
    lines
}

/// The beginning of a line below the first.
pub(super) fn label(label: &str) -> Line {
    let mut line = Line::default();
    line.push(DIM, format!("  {label:<10}"));
    line
}
