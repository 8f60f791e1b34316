//! Checks the spelling of the tracked text files with Debian's codespell; `.codespellrc` lists the accepted words.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::{tool, workspace};

const CODESPELL: &str = "/usr/bin/codespell";
/// Generated files, and a fuzzer's inputs: misspellings there are corrected in their sources.
const UNCHECKED: [&str; 7] = [
    ":!Cargo.lock",
    ":!docs/cli.md",
    ":!docs/completions",
    ":!docs/man",
    ":!docs/report.html",
    ":!docs/schema.json",
    ":!fuzz/corpus",
];

/// Fails if a tracked text file has a misspelled word.
pub(crate) fn check() -> Result<()> {
    ensure!(Path::new(CODESPELL).is_file(), "{CODESPELL} is missing: run `cargo xtask setup`");
    let root = workspace::root();
    let mut list = Command::new("git");
    // The empty pattern matches each file with at least one line; `-I` leaves binary files out.
    list.arg("-C").arg(root).args(["grep", "-I", "--files-with-matches", "-z", "-e", "", "--", "."]);
    let files = tool::output(list.args(UNCHECKED))?;
    let mut cmd = Command::new(CODESPELL);
    cmd.current_dir(root).stdin(Stdio::null()).args(files.split_terminator('\0'));
    // Not `tool::run`: its error would list all files.
    let status = cmd.status().with_context(|| format!("failed to run {CODESPELL}"))?;
    ensure!(
        status.success(),
        "misspelled words, listed above; .codespellrc lists words to accept ({status})"
    );
    Ok(())
}
