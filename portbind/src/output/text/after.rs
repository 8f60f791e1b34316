//! Text of what comes after a refusal: more of the same, and the port that is free again.

use std::io;

use super::TextWriter;
use crate::escape::Escaped;
use crate::event::{Process, Release, Repeat, Socket};
use crate::output::line::{CAUSE, DIM, Line, PLAIN};
use crate::output::style::Style;
use crate::output::words;

impl TextWriter {
    /// Writes how often the same was refused again.
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
        self.write_line(&repeat_line(repeat, style), style, out)
    }

    /// Writes that a refused port has become free.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged.
    pub fn write_release(
        &mut self,
        release: &Release,
        style: &Style,
        out: &mut impl io::Write,
    ) -> io::Result<()> {
        let (asked, caller) = (asked(&release.socket), caller(&release.process));
        let after = release.after().as_secs_f64();
        let mut line = Line::default();
        line.push(DIM, words::clock(release.time, style));
        line.push(PLAIN, format!("  free again  {asked}, {after:.3}s after {caller} was refused"));
        self.write_line(&line, style, out)
    }

    fn write_line(&mut self, line: &Line, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
        let mut text = String::new();
        if self.started {
            text.push('\n');
        }
        line.render(style.color, None, &mut text);
        self.started = true;
        out.write_all(text.as_bytes())
    }
}

/// `12:00:01.000  3214 times more  tcp 0.0.0.0:8080 refused to java (7)`, or
/// `12:00:01.000  3214 times more  refused to java (7), too fast to look at each: the last shown was tcp 0.0.0.0:8080`
fn repeat_line(repeat: &Repeat, style: &Style) -> Line {
    let how_often = match repeat.count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    let (asked, caller) = (asked(&repeat.socket), caller(&repeat.process));
    let mut line = Line::default();
    line.push(DIM, words::clock(repeat.time, style));
    line.push(PLAIN, format!("  {how_often} more  "));
    if repeat.looked_at {
        line.push(PLAIN, format!("{asked} refused to {caller}"));
        if let Some(cause) = repeat.cause {
            line.push(CAUSE, format!("        [{cause}]"));
        }
    } else {
        let word = if repeat.refused.is_some() { "the last shown was" } else { "one was" };
        line.push(PLAIN, format!("refused to {caller}, too fast to look at each: {word} {asked}"));
    }
    line
}

fn asked(socket: &Socket) -> String {
    let endpoint = words::endpoint(socket.address, socket.port, socket.interface.as_ref());
    format!("{} {endpoint}", words::protocol(socket.protocol))
}

fn caller(process: &Process) -> String {
    format!("{} ({})", Escaped(&process.comm), process.pid)
}
