//! Transcripts of portbind in pages: the tests print them, and they are written between two marks.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{debug, tool, workspace};

/// The text after a transcript.
const END: &str = "```\n<!-- end of transcript -->\n";

/// Makes the tests print the transcripts of `part`; returns them by name.
pub(crate) fn print(part: &str) -> Result<BTreeMap<String, String>> {
    debug::build(&["portbind", "portbind-tests"])?;
    let mut cmd = Command::new(debug::program("portbind-tests"));
    cmd.current_dir(workspace::root()).arg(part);
    cmd.arg("--portbind").arg(debug::program("portbind"));
    let output = tool::output(&mut cmd)?;
    let blocks = output.split("=== ").filter(|block| !block.is_empty());
    blocks
        .map(|block| {
            let (name, text) = block.split_once('\n').context("a transcript without text")?;
            Ok((name.to_owned(), text.to_owned()))
        })
        .collect()
}

/// The page with this transcript in place of the one after the mark.
pub(crate) fn replace(page: &str, mark: &str, transcript: &str) -> Result<String> {
    let (before, _, after) =
        split(page, mark).with_context(|| format!("it has no place for a transcript: {mark}"))?;
    let begin = begin(mark);
    Ok(format!("{before}{begin}{transcript}{END}{after}"))
}

/// The text before, in and after the transcript that follows the mark.
pub(crate) fn split<'a>(page: &'a str, mark: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (before, rest) = page.split_once(&begin(mark))?;
    let (transcript, after) = rest.split_once(END)?;
    Some((before, transcript, after))
}

fn begin(mark: &str) -> String {
    format!("<!-- {mark} -->\n```text\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(first: &str, second: &str) -> String {
        format!("a\n{}{first}{END}b\n{}{second}{END}c\n", begin("one"), begin("two"))
    }

    #[test]
    fn a_transcript_replaces_the_old_one() {
        assert_eq!(replace(&page("old\n", "old\n"), "two", "new\n").unwrap(), page("old\n", "new\n"));
        assert!(replace(&page("old\n", "old\n"), "three", "new\n").is_err());
        assert_eq!(split(&page("old\n", "new\n"), "one").unwrap().1, "old\n");
    }
}
