//! What a subject says, on its standard output.

use std::io::Write as _;

/// Says a line at once.
pub(super) fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
