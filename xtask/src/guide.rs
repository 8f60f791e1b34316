//! `cargo xtask guide`: writes the transcripts of docs/ci.md, from real runs of tests/flaky, and the transcript of the
//! README.

use std::fs;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{transcripts, workspace};

/// Options of `cargo xtask guide`.
#[derive(Args, Debug)]
pub(crate) struct Options {}

/// A page, and the name of its transcripts in the tests.
const PAGES: [(&str, &str); 2] = [("README.md", "readme"), ("docs/ci.md", "guide")];

/// Runs the task; needs root, `python3` and `ip`.
pub(crate) fn run(_options: &Options) -> Result<()> {
    for (page, part) in PAGES {
        let path = workspace::root().join(page);
        let mut text =
            fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        for (name, transcript) in transcripts::print(part)? {
            let mark = format!("transcript {name}: written by `cargo xtask guide`");
            text = transcripts::replace(&text, &mark, &transcript)?;
        }
        fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
        println!("{page}");
    }
    Ok(())
}
