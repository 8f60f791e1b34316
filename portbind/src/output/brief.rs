//! Brief: one line an event, in columns.

use std::io;

use super::line::{CAUSE, DIM, ERROR, Line, NAME, PLAIN};
use super::style::Style;
use super::words;
use crate::escape::{Escaped, columns, cut, cut_quoted};
use crate::event::{Code, Refusal, Repeat, State};

/// Terminals from this width on get the wide columns.
const WIDE: usize = 130;
/// Columns of PID.
const PID: usize = 7;
/// The least columns that holders are cut to.
const MIN_HOLDERS: usize = 4;

/// Writes events in columns, below a header.
#[derive(Debug, Default)]
pub struct BriefWriter {
    started: bool,
}

/// The least columns of each field; longer ones push the rest to the right.
struct Columns {
    time: &'static str,
    time_width: usize,
    comm: usize,
    operation: usize,
    protocol: usize,
    address: usize,
    error: usize,
    holders: usize,
}

impl Columns {
    const fn of(style: &Style) -> Self {
        let narrow = Self {
            time: "%H:%M:%S",
            time_width: 8,
            comm: 8,
            operation: 4,
            protocol: 5,
            address: 14,
            error: 10,
            holders: 11,
        };
        let wide = Self {
            time: "%H:%M:%S%.3f",
            time_width: 12,
            comm: 16,
            operation: 8,
            protocol: 7,
            address: 21,
            error: 13,
            holders: 24,
        };
        match style.width {
            Some(width) if width < WIDE => narrow,
            _ => wide,
        }
    }
}

impl BriefWriter {
    /// Writes the header, unless it has been written.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged.
    pub fn header(&mut self, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
        if self.started {
            return Ok(());
        }
        let widths = Columns::of(style);
        let mut line = Line::default();
        line.column(DIM, "TIME", widths.time_width);
        line.column(DIM, "PID", PID);
        line.column(DIM, "COMM", widths.comm);
        line.column(DIM, "OP", widths.operation);
        line.column(DIM, "PROTO", widths.protocol);
        line.column(DIM, "ADDRESS", widths.address);
        line.column(DIM, "ERROR", widths.error);
        line.column(DIM, "HOLDER(S)", widths.holders);
        line.push(DIM, "CAUSE");
        finish(&line, style, out)?;
        self.started = true;
        Ok(())
    }

    /// Writes how often the same was refused again: the same columns, and the number in place of the holders.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged.
    pub fn write_repeat(
        &mut self,
        repeat: &Repeat,
        style: &Style,
        out: &mut impl io::Write,
    ) -> io::Result<()> {
        let widths = Columns::of(style);
        let Repeat { process, socket, .. } = repeat;
        let mut line = Line::default();
        let time = repeat.time.to_zoned(style.zone.clone()).strftime(widths.time).to_string();
        line.column(DIM, &time, widths.time_width);
        line.column(PLAIN, &process.pid.to_string(), PID);
        line.column(NAME, &Escaped(&process.comm).column(widths.comm), widths.comm);
        line.column(PLAIN, "", widths.operation);
        let (protocol, asked, cause) = if repeat.looked_at {
            (
                words::kind(socket.family, socket.protocol),
                words::asked(socket),
                repeat.cause.map_or("", Code::as_str),
            )
        } else {
            (String::new(), "too fast to look at".to_owned(), "")
        };
        line.column(PLAIN, &protocol, widths.protocol);
        line.column(PLAIN, &asked, widths.address);
        line.column(ERROR, "", widths.error);
        line.column(PLAIN, &format!("{} more", repeat.count), widths.holders);
        line.push(CAUSE, cause);
        finish(&line, style, out)
    }

    /// Writes one refusal, and the header before the first.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged.
    pub fn write(&mut self, refusal: &Refusal, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
        self.header(style, out)?;
        let widths = Columns::of(style);
        let socket = &refusal.socket;
        let process = &refusal.process;
        let time = refusal.time.to_zoned(style.zone.clone());
        let mut line = Line::default();
        line.column(DIM, &time.strftime(widths.time).to_string(), widths.time_width);
        line.column(PLAIN, &process.pid.to_string(), PID);
        line.column(NAME, &Escaped(&process.comm).column(widths.comm), widths.comm);
        line.column(PLAIN, refusal.operation.as_str(), widths.operation);
        line.column(PLAIN, &words::kind(socket.family, socket.protocol), widths.protocol);
        // Only a path has blanks: ours, and those of the path.
        let asked = words::asked(socket).replace(' ', "␣");
        // A path may be long; the endpoints of the internet are not.
        let is_cut = style.width.is_some() && socket.name.is_some();
        let asked = if is_cut { cut_quoted(&asked, widths.address) } else { asked };
        line.column(PLAIN, &asked, widths.address);
        let error = refusal.error.name().map_or_else(|| refusal.error.0.to_string(), str::to_owned);
        line.column(ERROR, &error, widths.error);
        let cause = refusal.cause.code.as_str();
        let holders = holders(refusal);
        let holders = match style.width {
            None => holders,
            Some(width) => {
                let taken = line.width() + 1 + columns(cause);
                cut(&holders, width.saturating_sub(taken).max(MIN_HOLDERS)).into_owned()
            }
        };
        let room =
            style.width.map_or(usize::MAX, |width| width.saturating_sub(line.width() + 1 + columns(cause)));
        line.column(PLAIN, &holders, widths.holders.min(room));
        line.push(CAUSE, cause);
        finish(&line, style, out)
    }
}

/// The processes that stand in the way, and the states of sockets that have none.
fn holders(refusal: &Refusal) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut ownerless: Vec<(State, usize)> = Vec::new();
    for holder in words::conflicting(&refusal.holders) {
        for process in &holder.processes {
            let comm = Escaped(&process.process.comm).column(usize::MAX);
            let name = format!("{comm}({})", process.process.pid);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if holder.processes.is_empty() && holder.more_processes == 0 {
            match ownerless.iter_mut().find(|(state, _)| *state == holder.state) {
                Some((_, count)) => *count += 1,
                None => ownerless.push((holder.state, 1)),
            }
        }
    }
    names.extend(ownerless.into_iter().map(|(state, count)| match count {
        1 => words::state(state).to_owned(),
        _ => format!("{}×{count}", words::state(state)),
    }));
    let more: u64 =
        words::conflicting(&refusal.holders).fold(0, |sum, holder| holder.more_processes.saturating_add(sum));
    if more > 0 {
        names.push(format!("+{more}"));
    }
    if refusal.holders_truncated {
        names.push("…".to_owned());
    }
    if names.is_empty() { "-".to_owned() } else { names.join(",") }
}

fn finish(line: &Line, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let mut text = String::new();
    line.render(style.color, style.width, &mut text);
    out.write_all(text.as_bytes())
}
