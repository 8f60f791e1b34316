//! Buildkite: the text in a group, which is expanded unless the page above the build contains all of it.

use std::io;

use super::page::Page;
use crate::output::Style;
use crate::output::text::command::{self, CommandReport};

pub(super) fn write(
    report: &CommandReport<'_>,
    page: &Page,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    writeln!(out, "--- :x: portbind: {}: {}", report.ending(), report.findings())?;
    command::write_findings(report, style, out)?;
    if *page == Page::Nowhere {
        writeln!(out, "^^^ +++")?;
    }
    Ok(())
}
