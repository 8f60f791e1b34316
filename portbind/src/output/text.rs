//! Text: a few lines per event.

use std::io;

use super::format::{Document, EventFormat};
use super::line::{CAUSE, DIM, Line, PLAIN};
use super::style::Style;
use super::words;
use crate::escape::Escaped;
use crate::wire::{Refusal, Relative, Release, Repeat, Socket};

pub(super) mod answer;
pub mod command;
pub(super) mod freed;
mod holders;
pub(super) mod layout;
mod people;
pub(super) mod refusal;
mod timeline;

/// Writes events and answers as text, separated by empty lines.
#[derive(Debug, Default)]
pub(super) struct TextFormat {
    started: bool,
    lost: u64,
}

impl EventFormat for TextFormat {
    fn refusal(&mut self, refusal: Refusal<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let newly_lost = refusal.lost.saturating_sub(self.lost);
        self.lines(&refusal::lines(&refusal, style, newly_lost), style, out)?;
        self.lost = self.lost.max(refusal.lost);
        Ok(())
    }

    fn release(&mut self, release: Release<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let (asked, caller) = (asked(&release.socket), caller(&release.process));
        let after = release.time.0.duration_since(release.refused.0).as_secs_f64();
        let mut line = Line::default();
        line.push(DIM, words::clock(release.time.0, style));
        line.push(PLAIN, format!("  free again  {asked}, {after:.3}s after {caller} was refused"));
        self.lines(&[line], style, out)
    }

    fn repeat(&mut self, repeat: Repeat<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        self.lines(&[repeat_line(&repeat, style)], style, out)
    }

    fn document(
        &mut self,
        document: &dyn Document,
        style: &Style,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        self.separate(out)?;
        document.text(style, out)
    }
}

impl TextFormat {
    fn separate(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        let between: &[u8] = if self.started { b"\n" } else { b"" };
        self.started = true;
        out.write_all(between)
    }

    fn lines(&mut self, lines: &[Line], style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let mut text = String::from(if self.started { "\n" } else { "" });
        text.push_str(&layout::rendered(lines, style));
        out.write_all(text.as_bytes())?;
        self.started = true;
        Ok(())
    }
}

/// `12:00:01.000  3214 times more  tcp 0.0.0.0:8080 refused to java (7)`, or
/// `12:00:01.000  3214 times more  refused to java (7), too fast to look at each: the last shown was tcp 0.0.0.0:8080`
fn repeat_line(repeat: &Repeat<'_>, style: &Style) -> Line {
    let how_often = match repeat.count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    let (asked, caller) = (asked(&repeat.socket), caller(&repeat.process));
    let mut line = Line::default();
    line.push(DIM, words::clock(repeat.time.0, style));
    line.push(PLAIN, format!("  {how_often} more  "));
    if repeat.looked_at {
        line.push(PLAIN, format!("{asked} refused to {caller}"));
        if let Some(cause) = &repeat.cause {
            line.push(CAUSE, format!("        [{}]", Escaped(cause)));
        }
    } else {
        let word = if repeat.refused.is_some() { "the last shown was" } else { "one was" };
        line.push(PLAIN, format!("refused to {caller}, too fast to look at each: {word} {asked}"));
    }
    line
}

fn asked(socket: &Socket<'_>) -> String {
    format!("{} {}", words::kind(&socket.family, &socket.protocol), words::asked(socket))
}

fn caller(process: &Relative<'_>) -> String {
    format!("{} ({})", Escaped(&process.comm), process.pid)
}
