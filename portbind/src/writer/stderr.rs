//! Messages on standard error.

use std::fmt::Display;
use std::io::{self, Write as _};

use crate::escape::Prose;

/// Says a sentence, in one write. A line of the sentence that is not the first is indented. That standard error is
/// closed, or has no room, is no reason to end: whoever runs portbind still wants its output, or the command that it wraps.
pub(crate) fn say(sentence: impl Display) {
    write(&lines(&sentence.to_string()));
}

/// The same, unless it is to be quiet.
pub(crate) fn say_unless(is_quiet: bool, sentence: impl Display) {
    if !is_quiet {
        say(sentence);
    }
}

pub(crate) fn write(lines: &str) {
    let _written = io::stderr().write_all(lines.as_bytes());
}

/// The lines of a sentence: whatever foreign string is in it, no line of another kind.
pub(crate) fn lines(sentence: &str) -> String {
    let starts = std::iter::once("portbind: ").chain(std::iter::repeat("  "));
    let line = |(line, start): (&str, &str)| format!("{start}{}\n", Prose(line.trim_start()));
    sentence.lines().zip(starts).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_ours() {
        let said = lines("no backend\n  fexit: \x1b[2J\n::error::x ##vso[y]");
        let expected = "portbind: no backend\n  fexit: \\x1b[2J\n  \\x3a:error:\\x3ax #\\x23vso[y]\n";
        assert_eq!(said, expected);
    }
}
