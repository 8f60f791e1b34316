//! The standard output of wrapped commands.

use std::io::Write as _;

/// Prints a line without buffering.
pub(super) fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
