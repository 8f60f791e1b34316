//! GitLab CI: the text in a collapsed section.

use std::io;

use super::page::Page;
use crate::output::Style;
use crate::output::text::command::{self, CommandReport};

pub(super) fn write(
    report: &CommandReport<'_>,
    _: &Page,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    // A section name must be unique in a log.
    let name = format!("portbind_{}", report.command.pid);
    let time = report.end.time.as_second();
    write!(out, "\x1b[0Ksection_start:{time}:{name}[collapsed=true]\r\x1b[0K")?;
    command::write(report, style, out)?;
    writeln!(out, "\x1b[0Ksection_end:{time}:{name}\r\x1b[0K")
}
