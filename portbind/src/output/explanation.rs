//! The explanation of a log line, as text and as JSON.

use std::io;

use jiff::SignedDuration;

use super::format::Document;
use super::jsonl;
use super::line::{DIM, ERROR, Line, PLAIN};
use super::style::Style;
use super::text::layout::{label, rendered, sentence};
use super::text::refusal;
use crate::escape::{Escaped, LogLine, cut};
use crate::event::ShellCommand;
use crate::log_errors::{Complaint, Join, Match, Reason, Target};
use crate::secrets::Secrets;
use crate::wire::{SCHEMA, Time, explanation as json};

/// Columns of a log line that are shown if the output has no width.
const SHOWN: usize = 300;

/// What dockerd says of a port that its own list has, before it asks the kernel.
const ALLOCATED: &str = "port is already allocated";

impl Document for Match {
    fn text(&self, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let mut text = String::new();
        headline(&self.complaint, style).render(style.color, style.width, &mut text);
        let lines = match &self.join {
            Ok(join) => {
                let mut lines = refusal::lines(&join.refusal, style, 0);
                lines.push(joined(join));
                lines
            }
            Err(reason) => alone(&self.complaint, *reason, style),
        };
        text.push_str(&rendered(&lines, style));
        out.write_all(text.as_bytes())
    }

    fn json(&self, _: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        jsonl::line(json::Explanation::from(self), Secrets::Masked, out)
    }
}

fn headline(complaint: &Complaint, style: &Style) -> Line {
    let mut line = Line::default();
    line.push(DIM, format!("line {}: ", complaint.line));
    let room = style.width.map_or(SHOWN, |width| width.saturating_sub(line.width()));
    line.push(ERROR, cut(&LogLine(&complaint.text).to_string(), room));
    line
}

/// How the log line was matched with a refused bind.
fn joined(join: &Join) -> Line {
    let mut by = Vec::new();
    by.extend(join.by_target.then_some(if join.refusal.socket.port.is_some() { "port" } else { "path" }));
    by.extend((join.by_program && !join.by_target).then_some("program"));
    by.extend(join.by_pid.then_some("pid"));
    by.push(if join.apart.is_some() { "time" } else { "order" });
    let by = match by.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    };
    let apart = join.apart.map_or_else(String::new, |apart| format!(", {}", distance(apart)));
    let of = match join.candidates {
        0 | 1 => String::new(),
        count => format!(", one of {count} that came into question"),
    };
    let mut line = label("found");
    line.push(DIM, format!("in the recording by {by}{apart}{of}"));
    line
}

/// The explanation from the line alone, and what to do next.
fn alone(complaint: &Complaint, reason: Reason, style: &Style) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = label("says");
    if let Some(port) = complaint.target.port.filter(|_| complaint.text.contains(ALLOCATED)) {
        line.push(
            PLAIN,
            format!("Docker has published port {port} for another container; no bind was refused"),
        );
        lines.push(line);
        let command = format!("docker ps --filter publish={port}");
        lines.extend(sentence(
            "next",
            &format!("this names the container: {command}"),
            Some(&command),
            style,
        ));
        return lines;
    }
    line.push(PLAIN, said(complaint));
    lines.push(line);
    if let Some(text) = missing(complaint, reason) {
        lines.extend(sentence("recorded", &text, None, style));
    }
    let target = &complaint.target;
    let by_port = target.port.and_then(ShellCommand::who);
    let who = by_port.or_else(|| target.path.as_deref().and_then(ShellCommand::who_is_at));
    let now = who.map(|who| (format!("while the port is held, this shows the holder: {who}"), Some(who)));
    let words = ["next", "or"].into_iter();
    for (word, (text, command)) in words.zip(now.into_iter().chain([(next_time(complaint), None)])) {
        lines.extend(sentence(word, &text, command.as_ref().map(ShellCommand::as_str), style));
    }
    lines
}

/// What records the refusal next time.
fn next_time(complaint: &Complaint) -> String {
    match complaint.target.port {
        // The daemon binds for its clients, and descends from none of them.
        Some(port) if complaint.wording.source == "Docker" => {
            format!(
                "next time, portbind trace -P {port} shows it: the daemon is refused, and not the command that asks it"
            )
        }
        _ => {
            "next time, portbind run --record FILE -- COMMAND records who holds it at that instant".to_owned()
        }
    }
}

/// The program and the address, as far as the line names them.
fn said(complaint: &Complaint) -> String {
    let who = match (&complaint.program, complaint.pid) {
        (Some(program), Some(pid)) => format!("{} ({pid})", Escaped(program)),
        (Some(program), None) => Escaped(program).to_string(),
        (None, Some(pid)) => format!("process {pid}"),
        (None, None) => "a program".to_owned(),
    };
    let target = match &complaint.target.path {
        Some(path) => Escaped(path).to_string(),
        None => LogLine(&complaint.target.to_string()).to_string(),
    };
    let what = match target {
        none if none.is_empty() => "an address that the log does not name".to_owned(),
        some if complaint.target.is_known() => some,
        some => format!("{some}, a port that the log does not name"),
    };
    let words = match complaint.wording.source {
        any if any.starts_with("any") => String::new(),
        source => format!(", in the words of {source}"),
    };
    format!("{who} was refused {what}{words}")
}

/// Why the recordings do not help; `None` if there are no recordings.
fn missing(complaint: &Complaint, reason: Reason) -> Option<String> {
    let target = &complaint.target;
    let what = match (target.port, &target.path) {
        (Some(port), _) => format!("of port {port}"),
        (None, Some(path)) => format!("of {}", Escaped(path)),
        (None, None) => "that fits".to_owned(),
    };
    match reason {
        Reason::NoRecording => None,
        Reason::NoneLikeIt => Some(format!("no refusal {what}")),
        Reason::OtherAddress(other) => {
            let address = |address| LogLine(&Target::at(address).to_string()).to_string();
            let (named, other) = (address(target.address.clone()), address(Some(other.to_string())));
            Some(format!("no refusal {what} on {named}; the recording has one on {other}"))
        }
        Reason::NotThen(apart) => {
            let hint = match is_zone_apart(apart) {
                true => "; --zone says in which zone the log's times are",
                false => "",
            };
            let distance = distance(apart);
            Some(format!("a refusal {what}, but the line was written {distance} the nearest{hint}"))
        }
        Reason::Ambiguous(count) => {
            Some(format!("{count} refusals, and the line names neither port nor program to single one out"))
        }
    }
}

/// Whether the distance of two times is one of time zones: a multiple of a quarter of an hour, within a tolerance.
fn is_zone_apart(apart: SignedDuration) -> bool {
    const QUARTER: u64 = 15 * 60;
    let seconds = apart.unsigned_abs().as_secs();
    let rest = seconds % QUARTER;
    (1..=14 * 4).contains(&((seconds + QUARTER / 2) / QUARTER)) && rest.min(QUARTER - rest) <= 10
}

/// The time between a refused bind and a log line.
fn distance(apart: SignedDuration) -> String {
    let seconds = apart.abs().as_secs_f64();
    let side = if apart.is_negative() { "before" } else { "after" };
    match apart.abs().as_secs() {
        0..=59 => format!("{seconds:.3}s {side}"),
        60..=3599 => format!("{:.0}m {side}", seconds / 60.0),
        _ => format!("{:.1}h {side}", seconds / 3600.0),
    }
}

impl<'a> From<&'a Match> for json::Explanation<'a> {
    fn from(matched: &'a Match) -> Self {
        let Complaint { line, repeats, text, wording, time, program, pid, target } = &matched.complaint;
        let join = matched.join.as_ref();
        Self {
            schema: SCHEMA.into(),
            kind: "explanation".into(),
            log: json::LogLine {
                number: *line,
                text: text.into(),
                source: wording.source.into(),
                repeats: *repeats,
                time: time.map(Time),
                program: program.as_deref().map(Into::into),
                pid: *pid,
            },
            target: json::Target {
                protocol: target.protocol.as_deref().map(Into::into),
                address: target.address.as_deref().map(Into::into),
                port: target.port,
                path: target.path.as_deref().map(Into::into),
            },
            refusal: join.ok().map(|join| (*join.refusal).clone()),
            join: join.ok().map(|join| json::Join {
                by_target: join.by_target,
                by_program: join.by_program,
                by_pid: join.by_pid,
                apart_ms: join.apart.map(|apart| apart.as_millis_f64()),
                candidates: join.candidates,
            }),
            reason: join.err().map(|reason| reason.as_str().into()),
        }
    }
}
