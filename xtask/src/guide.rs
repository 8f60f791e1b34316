//! `cargo xtask guide`: writes the transcripts of docs/ci.md, of real runs of tests/flaky.

use std::fs;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{transcripts, workspace};

/// Options of `cargo xtask guide`.
#[derive(Args, Debug)]
pub(crate) struct Options {}

/// Runs the task; needs root and `python3`.
pub(crate) fn run(_options: &Options) -> Result<()> {
    let path = workspace::root().join("docs/ci.md");
    let mut page = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
    for (name, text) in transcripts::print("guide")? {
        page = transcripts::replace(
            &page,
            &format!("transcript {name}: written by `cargo xtask guide`"),
            &text,
        )?;
    }
    fs::write(&path, page).with_context(|| format!("failed to write {}", path.display()))?;
    println!("docs/ci.md");
    Ok(())
}
