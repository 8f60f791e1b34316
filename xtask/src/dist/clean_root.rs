//! Tests the products in a clean Debian: installs them, runs them under its own systemd, and removes them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::products::Products;
use crate::{apt, workspace};

/// The Debian release on which the products are tested.
const SUITE: &str = "bookworm";
const SCRIPT: &str = "xtask/src/dist/clean-root.sh";

/// Tests the products in `folder`.
///
/// Everything is on a tmpfs in separate namespaces, so nothing is left, however the test ends.
pub(super) fn check(folder: &Path, products: &Products) -> Result<()> {
    let begun = Instant::now();
    let work = workspace::target().join("dist-root");
    fs::create_dir_all(&work).with_context(|| format!("failed to create {}", work.display()))?;
    let sources = work.join("sources.list");
    fs::write(&sources, apt::sources_of(SUITE)?)
        .with_context(|| format!("failed to write {}", sources.display()))?;
    // The mount and pid namespaces end with their first process, which ends with this program.
    let mut cmd = Command::new("setpriv");
    cmd.args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--mount-proc"]);
    cmd.args(["--fork", "--kill-child", "--", "bash"]).arg(workspace::root().join(SCRIPT));
    cmd.args([SUITE.as_ref(), sources.as_os_str(), work.as_os_str(), folder.as_os_str()]);
    cmd.args([&products.tarball, &products.deb]);
    let output = cmd.stdin(Stdio::null()).output().with_context(|| format!("failed to run {cmd:?}"))?;
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    ensure!(output.status.success(), "the products do not work in a clean root:\n{text}");
    for line in text.lines().filter(|line| line.starts_with("check: ")) {
        println!("{line}");
    }
    println!("dist: both products work in a clean {SUITE}, {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}
