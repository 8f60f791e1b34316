//! Jenkins, whose log is plain text: marks to look for above and below.

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
