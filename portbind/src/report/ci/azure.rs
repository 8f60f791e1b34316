//! Azure Pipelines: the text, followed by logging commands.

use std::io;

use super::issue;
use super::page::Page;
use crate::output::Style;
use crate::output::text::command::{self, CommandReport};

pub(super) fn write(
    report: &CommandReport<'_>,
    page: &Page,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    command::write(report, style, out)?;
    for issue in issue::refusals(report, style) {
        writeln!(out, "##vso[task.logissue type=error]{}", data(&issue.message))?;
    }
    if let Some(issue) = issue::leaks(report, style) {
        writeln!(out, "##vso[task.logissue type=warning]{}", data(&issue.message))?;
    }
    if let Page::At(path) = page {
        writeln!(out, "##vso[task.uploadsummary]{}", data(&path.to_string_lossy()))?;
    }
    Ok(())
}

/// Escapes like `escapedata` in node/taskcommand.ts of azure-pipelines-task-lib.
fn data(text: &str) -> String {
    text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}
