//! GitHub Actions: the text, followed by workflow commands that create annotations.

use std::io;

use super::issue;
use super::page::Page;
use crate::output::Style;
use crate::output::text::command::{self, CommandReport};

pub(super) fn write(
    report: &CommandReport<'_>,
    _: &Page,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    command::write(report, style, out)?;
    for issue in issue::refusals(report, style) {
        writeln!(out, "::error title={}::{}", property(&issue.title), data(&issue.message))?;
    }
    // Warnings have a separate limit.
    if let Some(issue) = issue::leaks(report, style) {
        writeln!(out, "::warning title={}::{}", property(&issue.title), data(&issue.message))?;
    }
    Ok(())
}

/// Escapes like `escapeData` in packages/core/src/command.ts of actions/toolkit.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes like `escapeProperty` in the same file.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_the_runner_would_read_is_escaped() {
        assert_eq!(data("100%\r\n::x,"), "100%25%0D%0A::x,");
        assert_eq!(property("a:b,c%3A\n"), "a%3Ab%2Cc%253A%0A");
    }
}
