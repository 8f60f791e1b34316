//! Messages on standard error.

use std::fmt::Display;
use std::io::{self, Write as _};

use crate::escape::Prose;

/// Prints a sentence with one write, and indents all lines but the first. A closed or full standard error is not a
/// reason to end: the user still wants portbind's output, or the wrapped command.
pub fn say(sentence: impl Display) {
    write(&lines(&sentence.to_string()));
}

/// Like [`say`], unless the run is quiet.
pub fn say_unless(is_quiet: bool, sentence: impl Display) {
    if !is_quiet {
        say(sentence);
    }
}

pub(crate) fn write(lines: &str) {
    let _written = io::stderr().write_all(lines.as_bytes());
}

/// The lines of a sentence, indented so that no string of another program can start a line.
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
