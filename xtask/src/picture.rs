//! `cargo xtask picture`: generates docs/report.html and docs/report.png from a real run of tests/example.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::{debug, tool, workspace};

/// Options of `cargo xtask picture`.
#[derive(Args, Debug)]
pub(crate) struct Options {}

/// Size of the picture in pixels.
const SIZE: (u32, u32) = (1160, 1010);
/// Maximum size of the picture in bytes, for the README.
const MOST_BYTES: u64 = 150_000;

/// Runs the task; needs root, `python3` and what `cargo xtask setup` installs.
pub(crate) fn run(_options: &Options) -> Result<()> {
    let root = workspace::root();
    debug::build(&["portbind"])?;
    let portbind = debug::program("portbind");
    let recorded = workspace::target().join("example.jsonl");
    if recorded.exists() {
        fs::remove_file(&recorded).with_context(|| format!("failed to remove {}", recorded.display()))?;
    }
    // In a separate network namespace, no other process uses the suite's ports.
    let mut suite = Command::new("unshare");
    suite.args(["--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]).arg(&portbind);
    suite.args(["run", "--backend", "tracepoint", "--quiet", "--record"]).arg(&recorded);
    suite.args(["--", "python3", "suite.py"]).current_dir(root.join("tests/example"));
    let status = suite.status().with_context(|| format!("failed to run {suite:?}"))?;
    ensure!(status.code() == Some(1), "the suite is to fail with status 1, it ended with {status}");
    let (page, picture) = (root.join("docs/report.html"), root.join("docs/report.png"));
    let folder = recorded.parent().context("no folder")?;
    let mut report = Command::new(&portbind);
    report.current_dir(folder).args(["report", "example.jsonl", "--html"]).arg(&page);
    tool::output(&mut report)?;
    shoot(&page.display().to_string(), &picture.display().to_string())?;
    let bytes = fs::metadata(&picture)?.len();
    ensure!(bytes < MOST_BYTES, "docs/report.png has {bytes} bytes, {MOST_BYTES} are too many");
    println!("docs/report.html, and docs/report.png of {bytes} bytes");
    Ok(())
}

fn shoot(page: &str, picture: &str) -> Result<()> {
    let profile = workspace::target().join("chromium");
    let mut cmd = Command::new("chromium");
    cmd.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]);
    cmd.arg(format!("--user-data-dir={}", profile.display()));
    cmd.arg(format!("--window-size={},{}", SIZE.0, SIZE.1)).arg(format!("--screenshot={picture}"));
    tool::output(cmd.arg(format!("file://{page}")))?;
    Ok(())
}
