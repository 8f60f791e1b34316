//! Brief: one line per event, in columns.

use std::io;

use crate::diagnosis::program::runs;
use crate::escape::{Escaped, columns, cut, cut_quoted};
use crate::output::format::EventFormat;
use crate::output::line::{CAUSE, DIM, ERROR, Line, NAME, PLAIN};
use crate::output::style::Style;
use crate::output::words;
use crate::wire::{Refusal, Repeat, Socket, Time};

/// Terminals of at least this width get the wide columns.
const WIDE: usize = 130;
/// Width of the PID column.
const PID: usize = 7;
/// The least width to which holders are cut.
const MIN_HOLDERS: usize = 4;

/// Writes events in columns, below a header.
#[derive(Debug, Default)]
pub(in crate::output) struct BriefFormat {
    started: bool,
}

/// The minimum width of each field; a longer field moves the rest of the line to the right.
struct Columns {
    time: &'static str,
    time_width: usize,
    program: usize,
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
            program: 8,
            operation: 4,
            protocol: 5,
            address: 14,
            error: 10,
            holders: 11,
        };
        let wide = Self {
            time: "%H:%M:%S%.3f",
            time_width: 12,
            program: 20,
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

impl EventFormat for BriefFormat {
    fn begin(&mut self, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        if self.started {
            return Ok(());
        }
        let widths = Columns::of(style);
        let mut line = Line::default();
        line.column(DIM, "TIME", widths.time_width);
        line.column(DIM, "PID", PID);
        line.column(DIM, "PROGRAM", widths.program);
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

    /// Prints the same columns, with the number of refusals in place of the holders.
    fn repeat(&mut self, repeat: Repeat<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let widths = Columns::of(style);
        let Repeat { process, socket, .. } = &repeat;
        let mut line = beginning(repeat.time, process.pid, &word(&process.comm), &widths, style);
        line.column(PLAIN, "", widths.operation);
        let (protocol, asked, cause) = if repeat.looked_at {
            let cause = repeat.cause.as_deref().map_or_else(String::new, word);
            (kind(socket), words::asked(socket), cause)
        } else {
            (String::new(), "too fast to look at".to_owned(), String::new())
        };
        line.column(PLAIN, &protocol, widths.protocol);
        line.column(PLAIN, &asked, widths.address);
        line.column(ERROR, "", widths.error);
        line.column(PLAIN, &format!("{} more", repeat.count), widths.holders);
        line.push(CAUSE, cause);
        finish(&line, style, out)
    }

    /// Prints the header before the first refusal.
    fn refusal(&mut self, refusal: Refusal<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        self.begin(style, out)?;
        let widths = Columns::of(style);
        let Refusal { process, socket, .. } = &refusal;
        let program = program(&process.comm, process.exe.as_deref(), &process.args, style);
        let mut line = beginning(refusal.time, process.pid, &program, &widths, style);
        line.column(PLAIN, &word(&refusal.operation), widths.operation);
        line.column(PLAIN, &kind(socket), widths.protocol);
        line.column(PLAIN, &asked(socket, &widths, style), widths.address);
        let name = refusal.error.name.as_deref().map(word);
        line.column(ERROR, &name.unwrap_or_else(|| refusal.error.number.to_string()), widths.error);
        let cause = word(&refusal.cause.code);
        let taken = line.width() + 1 + columns(&cause);
        let room = style.width.map_or(usize::MAX, |width| width.saturating_sub(taken));
        let holders = holders(&refusal, style);
        line.column(PLAIN, &cut(&holders, room.max(MIN_HOLDERS)), widths.holders.min(room));
        line.push(CAUSE, cause);
        finish(&line, style, out)
    }
}

/// The time and the caller.
fn beginning(time: Time, pid: u32, program: &str, widths: &Columns, style: &Style) -> Line {
    let mut line = Line::default();
    let time = time.0.to_zoned(style.zone.clone()).strftime(widths.time).to_string();
    line.column(DIM, &time, widths.time_width);
    line.column(PLAIN, &pid.to_string(), PID);
    line.column(NAME, &cut_quoted(program, widths.program), widths.program);
    line
}

/// What a process runs, as one word; on a narrow terminal, the executable alone if that
/// is longer than its column.
fn program(comm: &str, exe: Option<&str>, args: &[String], style: &Style) -> String {
    let full = runs(comm, exe, args).replace(' ', "␣");
    let width = Columns::of(style).program;
    let fits = style.width.is_none_or(|terminal| terminal >= WIDE) || columns(&full) <= width;
    if fits { full } else { runs::<String>(comm, exe, &[]).replace(' ', "␣") }
}

/// A word from portbind's vocabulary; a recording may contain any string instead.
fn word(word: &str) -> String {
    Escaped(word).column(usize::MAX)
}

fn kind(socket: &Socket<'_>) -> String {
    words::kind(&socket.family, &socket.protocol).replace(' ', "␣")
}

fn asked(socket: &Socket<'_>, widths: &Columns, style: &Style) -> String {
    // Only paths contain blanks: blanks of portbind's own, and blanks of the path.
    let asked = words::asked(socket).replace(' ', "␣");
    // Only paths can be long; internet addresses are not.
    if style.width.is_some() && socket.port.is_none() { cut_quoted(&asked, widths.address) } else { asked }
}

/// The processes of the sockets in the way; for sockets without a process, their states.
fn holders(refusal: &Refusal<'_>, style: &Style) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut ownerless: Vec<(&str, usize)> = Vec::new();
    for holder in words::conflicting(refusal) {
        for process in &holder.processes {
            let program = program(&process.comm, process.exe.as_deref(), &process.args, style);
            let name = format!("{program}({})", process.pid);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if holder.processes.is_empty() && holder.more_processes == 0 {
            match ownerless.iter_mut().find(|(state, _)| *state == holder.state) {
                Some((_, count)) => *count += 1,
                None => ownerless.push((&holder.state, 1)),
            }
        }
    }
    names.extend(ownerless.into_iter().map(|(state, count)| match count {
        1 => words::state(state).into_owned(),
        _ => format!("{}×{count}", words::state(state)),
    }));
    let more =
        words::conflicting(refusal).fold(0, |sum: u64, holder| sum.saturating_add(holder.more_processes));
    if more > 0 {
        names.push(format!("+{more}"));
    }
    if refusal.holders_truncated {
        names.push("…".to_owned());
    }
    if names.is_empty() { "-".to_owned() } else { names.join(",") }
}

fn finish(line: &Line, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = String::new();
    line.render(style.color, style.width, &mut text);
    out.write_all(text.as_bytes())
}
