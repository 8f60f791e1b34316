//! The report at the end of a wrapped command.

use std::io;
use std::rc::Rc;

use super::holders::{descriptors, socket};
use super::layout::{label, rendered, who};
use super::people::Party;
use super::refusal::lines;
use crate::diagnosis::by_cause::Group;
use crate::diagnosis::program::runs_of;
use crate::escape::Escaped;
use crate::event::{Command, CommandEnd, Ending, Leak, Outcome, Refusal};
use crate::output::line::{CAUSE, DIM, ERROR, Line, PLAIN};
use crate::output::style::Style;
use crate::output::words;
use crate::wire;

/// Refusals shown per cause; further ones are counted.
const SHOWN: usize = 5;
/// The most leaks that are shown.
const SHOWN_LEAKS: usize = 20;

/// The contents of the report.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CommandReport<'a> {
    /// The command.
    pub command: &'a Command,
    /// How the command ended.
    pub end: &'a CommandEnd,
    /// The refusals by cause.
    pub groups: &'a [Group],
    /// The number of refusals.
    pub refusals: u64,
    /// How many of them were lost.
    pub lost: u64,
    /// Sockets that outlived the command.
    pub leaks: &'a [Leak],
    /// What happened beside the command.
    pub beside: Beside<'a>,
}

/// What happened beside a command.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Beside<'a> {
    /// Refusals of daemons that no client of the command is known to have asked for; not among the refusals.
    pub refusals: &'a [Rc<Refusal>],
    /// The number of these refusals.
    pub count: u64,
    /// What else a reader of the report should know, in sentences.
    pub advice: &'a [String],
}

impl CommandReport<'_> {
    /// Whether the report contains more than how the command ended.
    #[must_use]
    pub fn has_findings(&self) -> bool {
        self.refusals > 0 || !self.leaks.is_empty()
    }

    /// The command, and how it ended.
    pub(crate) fn ending(&self) -> String {
        let Self { command, end, .. } = self;
        let program = command.args.first().map_or("", String::as_str);
        let seconds = end.time.duration_since(end.started).as_secs_f64();
        let how = match end.ending {
            Ending::Exited(status) => format!("ended with status {status}"),
            Ending::Killed(signal) => format!("was ended by signal {signal}"),
        };
        format!("{} ({}) {how} after {seconds:.1}s", Escaped(program), command.pid)
    }

    /// The refusals that are in no group, in a sentence for each reason.
    pub(crate) fn without_cause(&self) -> Vec<String> {
        let grouped = self.groups.iter().map(Group::count).fold(self.lost, u64::saturating_add);
        let counted = self.refusals.saturating_sub(grouped);
        let kinds = [(counted, "only counted"), (self.lost, "lost")];
        let said = kinds.into_iter().filter(|(count, _)| *count > 0).map(|(count, how)| match count {
            1 => format!("1 more refusal was {how}"),
            _ => format!("{count} more refusals were {how}"),
        });
        said.collect()
    }

    /// The numbers of findings.
    pub(crate) fn findings(&self) -> String {
        let refused = match self.refusals {
            0 if self.beside.count > 0 => "no bind of its own was refused".to_owned(),
            0 => "no bind was refused".to_owned(),
            1 => "1 refusal".to_owned(),
            count => format!("{count} refusals"),
        };
        let left = match self.leaks.len() {
            0 => String::new(),
            1 => ", 1 socket left bound".to_owned(),
            count => format!(", {count} sockets left bound"),
        };
        format!("{refused}{left}")
    }
}

/// Writes the report.
///
/// # Errors
/// The writer's errors, unchanged.
pub fn write(report: &CommandReport<'_>, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let mut line = Line::default();
    line.push(DIM, "portbind: ");
    line.push(PLAIN, format!("{}: ", report.ending()));
    line.push(if report.has_findings() { ERROR } else { PLAIN }, report.findings());
    let mut text = String::new();
    line.render(style.color, None, &mut text);
    out.write_all(text.as_bytes())?;
    write_findings(report, style, out)
}

/// Writes the report without its first line.
pub(crate) fn write_findings(
    report: &CommandReport<'_>,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    for (index, group) in report.groups.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| report.groups.get(before));
        write_group(group, before.filter(|before| group.continues(before)), style, out)?;
    }
    write_beside(&report.beside, style, out)?;
    for (index, sentence) in report.without_cause().iter().enumerate() {
        writeln!(out, "{}{sentence}", if index == 0 { "\n" } else { "" })?;
    }
    if !report.leaks.is_empty() {
        write!(out, "\nstill bound:\n{}", left_bound(report.leaks, style))?;
    }
    Ok(())
}

/// Refusals of daemons that the command may not have asked for, and sentences.
fn write_beside(beside: &Beside<'_>, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    for refusal in beside.refusals.iter().take(SHOWN) {
        let process = &refusal.process;
        let mut heading = Line::default();
        who(runs_of(process), process.pid, &mut heading);
        let mut text = String::new();
        heading.render(style.color, None, &mut text);
        writeln!(out, "\nmeanwhile, {} was refused:", text.trim_end())?;
        out.write_all(rendered(&lines(&wire::Refusal::from(&**refusal), style, 0), style).as_bytes())?;
    }
    let more = beside.count.saturating_sub(beside.refusals.len().min(SHOWN) as u64);
    if more > 0 {
        writeln!(out, "  and {more} more")?;
    }
    for sentence in beside.advice {
        writeln!(out, "{sentence}")?;
    }
    Ok(())
}

/// Writes a group, which may have the next attempts of what the group `before` has.
fn write_group(
    group: &Group,
    before: Option<&Group>,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut heading = Line::default();
    heading.push(CAUSE, format!("[{}]", group.code));
    heading.push(PLAIN, format!(" × {}", group.count()));
    if let Some((refusal, _)) = group.refusals.first().filter(|_| before.is_some()) {
        let (next, pid) = (runs_of(&refusal.process), refusal.process.pid);
        heading.push(PLAIN, format!("   the next attempt of {next} ({pid})"));
    }
    let mut text = String::from("\n");
    heading.render(style.color, None, &mut text);
    out.write_all(text.as_bytes())?;
    for (index, (refusal, outcome)) in group.refusals.iter().take(SHOWN).enumerate() {
        let text = if index == 0 { refused(refusal, outcome, style) } else { again(refusal, outcome, style) };
        out.write_all(text.as_bytes())?;
    }
    let more = group.count().saturating_sub(group.refusals.len().min(SHOWN) as u64);
    if more > 0 {
        writeln!(out, "  and {more} more")?;
    }
    Ok(())
}

/// All lines of a refusal, and what its process did afterwards.
pub(crate) fn refused(refusal: &Refusal, outcome: &Outcome, style: &Style) -> String {
    let mut lines = lines(&wire::Refusal::from(refusal), style, refusal.lost);
    if has_outcome(refusal, outcome) {
        let mut then = label("then");
        then.push(PLAIN, went_on(outcome));
        lines.push(then);
    }
    rendered(&lines, style)
}

/// Whether what a process did afterwards says something: a daemon runs on whatever happens.
pub(crate) fn has_outcome(refusal: &Refusal, outcome: &Outcome) -> bool {
    refusal.on_behalf.is_none() || outcome.ended.is_some()
}

/// One more refusal of the same cause, in one line.
fn again(refusal: &Refusal, outcome: &Outcome, style: &Style) -> String {
    let socket = wire::Socket::from(&refusal.socket);
    let mut line = Line::default();
    line.push(DIM, words::clock(refusal.time, style));
    line.push(PLAIN, "  ");
    let process = &refusal.process;
    who(runs_of(process), process.pid, &mut line);
    let kind = words::kind(&socket.family, &socket.protocol);
    line.push(PLAIN, format!("{} {kind} {}   ", refusal.operation.as_str(), words::asked(&socket)));
    line.push(DIM, went_on(outcome));
    rendered(&[line], style)
}

fn went_on(outcome: &Outcome) -> String {
    let seconds = outcome.lived_on().as_secs_f64();
    match outcome.ended.map(|end| end.ending) {
        None => format!("swallowed: it still ran {seconds:.1}s later"),
        Some(Ending::Exited(0)) => {
            format!("swallowed: it went on and ended with status 0, {seconds:.3}s later")
        }
        Some(Ending::Exited(status)) => format!("it ended with status {status}, {seconds:.3}s later"),
        Some(Ending::Killed(signal)) => format!("it was ended by signal {signal}, {seconds:.3}s later"),
    }
}

/// The sockets that outlived the command, one line each.
pub(crate) fn left_bound(leaks: &[Leak], style: &Style) -> String {
    let lines: Vec<Line> = leaks.iter().take(SHOWN_LEAKS).flat_map(still_bound).collect();
    let mut text = rendered(&lines, style);
    let more = leaks.len().saturating_sub(SHOWN_LEAKS);
    if more > 0 {
        text.push_str(&format!("  and {more} more\n"));
    }
    text
}

fn still_bound(leak: &Leak) -> Vec<Line> {
    let holder = wire::Holder::from(&leak.socket);
    let with_owner = holder.processes.iter().map(|owner| {
        let mut line = Line::default();
        line.push(PLAIN, "  ");
        who(Party::from(owner).runs(), owner.pid, &mut line);
        line.push(PLAIN, format!("{}{}", socket(&holder), descriptors(owner)));
        if let Some(opener) = holder.opened_by.as_ref().filter(|opener| opener.pid != owner.pid) {
            line.push(PLAIN, format!("   opened by {} ({})", Party::from(opener).runs(), opener.pid));
        }
        if let Some(chain) = Party::from(owner).ancestry(None) {
            line.push(DIM, chain);
        }
        line
    });
    with_owner.collect()
}
