//! Jenkins, whose log is plain text: searchable marks above and below the text.

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
    writeln!(out, "======== portbind: {} ========", report.findings())?;
    command::write(report, style, out)?;
    writeln!(out, "======== end of portbind ========")
}
