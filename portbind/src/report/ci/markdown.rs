//! A Markdown page for the CI systems that show one: the findings by cause, with each refusal collapsed.
//!
//! Strings of other programs are in `<code>`, with every Markdown character as a character reference, or in `<pre>`
//! inside an HTML block, which Markdown leaves unchanged up to the next empty line. Neither can mention users, who
//! would be notified.

use std::fmt::Write as _;

use crate::escape::{Escaped, TestName, cut};
use crate::event::{self, Outcome};
use crate::output::Style;
use crate::output::text::command::{self, CommandReport};
use crate::output::words;
use crate::secrets::mask_text;
use crate::wire::{Process, Refusal, Socket, Test};

/// The longest page in bytes: 1 MiB for GitHub, which drops a longer page, and for Buildkite.
pub(crate) const PAGE_LIMIT: usize = 1024 * 1024;
/// Columns of a table cell, and of the collapsed text.
const CELL: usize = 100;
const TEXT: usize = 110;
/// Refusals per cause that are shown in full.
const SHOWN: usize = 20;
/// Bytes reserved for the sentence about omitted refusals.
const TAIL: usize = 200;

/// The page, in at most `room` bytes; `None` if it cannot be that short, or has no findings.
#[must_use]
pub(crate) fn page(report: &CommandReport<'_>, style: &Style, room: usize) -> Option<String> {
    let room = room.min(PAGE_LIMIT).checked_sub(TAIL)?;
    let style = Style { color: false, width: Some(TEXT), ..style.clone() };
    let mut page = overview(report);
    if !report.has_findings() || page.len() > room {
        return None;
    }
    let mut blocks = leaks(report, &style).into_iter().chain(refusals(report, &style));
    let mut left_out = 0;
    for block in blocks.by_ref() {
        if left_out > 0 || page.len() + block.len() > room {
            left_out += 1;
        } else {
            page.push_str(&block);
        }
    }
    let kept = report.groups.iter().map(|group| group.refusals.len().min(SHOWN)).sum::<usize>();
    let total = usize::try_from(report.refusals).unwrap_or(usize::MAX);
    let more = left_out + total.saturating_sub(kept);
    if more > 0 {
        let _infallible = writeln!(page, "\n{more} more are left out here.");
    }
    Some(page)
}

/// The heading, and one row per cause.
fn overview(report: &CommandReport<'_>) -> String {
    let mut text = format!("\n### portbind: {}\n\n{}\n", report.findings(), code(&report.ending()));
    if !report.groups.is_empty() {
        text.push_str("\n| cause | refusals | the first: refused | asked for | held by |\n");
        text.push_str("|---|---:|---|---|---|\n");
    }
    for group in report.groups {
        let first = group.refusals.first().map(|(refusal, _)| Refusal::from(&**refusal));
        let cells = first.map(|first| [refused(&first.process), asked(&first.socket), held_by(&first)]);
        let [refused, asked, held_by] =
            cells.map_or(["-"; 3].map(str::to_owned), |cells| cells.map(|cell| code(&cell)));
        let _infallible =
            writeln!(text, "| **{}** | {} | {refused} | {asked} | {held_by} |", group.code, group.count());
    }
    for sentence in report.without_cause() {
        let _infallible = writeln!(text, "\n{sentence}.");
    }
    text
}

fn asked(socket: &Socket<'_>) -> String {
    format!("{} {}", words::kind(&socket.family, &socket.protocol), words::asked(socket))
}

/// The caller and its test.
fn refused(process: &Process<'_>) -> String {
    with_test(&format!("{} ({})", Escaped(&process.comm), process.pid), process.test.as_ref())
}

/// The first holder in the way and its test.
fn held_by(refusal: &Refusal<'_>) -> String {
    let Some(holder) = words::conflicting(refusal).next() else { return "-".to_owned() };
    let state = words::state(&holder.state);
    let owner = holder.processes.first().map(|owner| (&owner.comm, owner.pid, &owner.test));
    let opener = holder.left_by.as_ref().or(holder.opened_by.as_ref());
    match owner.or(opener.map(|opener| (&opener.comm, opener.pid, &opener.test))) {
        Some((comm, pid, test)) => with_test(&format!("{} ({pid}) {state}", Escaped(comm)), test.as_ref()),
        None => state.into_owned(),
    }
}

fn with_test(process: &str, test: Option<&Test<'_>>) -> String {
    let name = test.and_then(|test| test.name.as_ref());
    name.map_or_else(|| process.to_owned(), |name| format!("{process} test {}", TestName(&mask_text(name))))
}

fn leaks(report: &CommandReport<'_>, style: &Style) -> Option<String> {
    (!report.leaks.is_empty())
        .then(|| folded("sockets that are still bound", &command::left_bound(report.leaks, style), true))
}

/// The refusals by cause, each collapsed; a single refusal is expanded.
fn refusals(report: &CommandReport<'_>, style: &Style) -> impl Iterator<Item = String> {
    let is_open = report.refusals == 1;
    let shown = report.groups.iter().flat_map(|group| group.refusals.iter().take(SHOWN));
    shown.map(move |(refusal, outcome)| of(refusal, outcome, style, is_open))
}

fn of(refusal: &event::Refusal, outcome: &Outcome, style: &Style, is_open: bool) -> String {
    let (asked, refused) = (asked(&(&refusal.socket).into()), refused(&(&*refusal.process).into()));
    let title = format!("{}: {asked}, {refused}", refusal.cause.code);
    folded(&cut(&title, CELL), &command::refused(refusal, outcome, style), is_open)
}

/// An HTML block without an empty line, after one.
fn folded(title: &str, text: &str, is_open: bool) -> String {
    let open = if is_open { " open" } else { "" };
    let lines = text.lines().filter(|line| !line.trim().is_empty()).map(html).collect::<Vec<_>>();
    let (title, lines) = (html(title), lines.join("\n"));
    format!("\n<details{open}><summary><code>{title}</code></summary>\n<pre>{lines}</pre>\n</details>\n")
}

/// Text inside an element.
fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Text inside a line of Markdown.
fn code(text: &str) -> String {
    let mut shown = String::from("<code>");
    for c in cut(text, CELL).chars() {
        if c.is_ascii_punctuation() {
            let _infallible = write!(shown, "&#{};", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown.push_str("</code>");
    shown
}
