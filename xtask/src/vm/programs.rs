//! The programs of the machines: static, because a machine has no libraries.

use std::path::PathBuf;

use anyhow::Result;

use crate::{tool, workspace};

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Builds the programs of the machines, and returns their folder.
pub(crate) fn programs() -> Result<PathBuf> {
    build(&["portbind-tests"])
}

/// Builds `packages` as static programs, which need no libraries in the machine, and returns their folder.
pub(crate) fn build(packages: &[&str]) -> Result<PathBuf> {
    let target = workspace::target().join("vm/build");
    let mut cmd = tool::cargo();
    cmd.current_dir(workspace::root()).args(["build", "--quiet", "--release", "--bins", "--target", TRIPLE]);
    // The release profile's whole-program optimization takes a minute after each change and is not needed here.
    cmd.args(["--config", "profile.release.lto=false", "--config", "profile.release.codegen-units=16"]);
    for package in packages {
        cmd.args(["--package", package]);
    }
    cmd.env("CARGO_TARGET_DIR", &target).env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    tool::run(&mut cmd)?;
    Ok(target.join(TRIPLE).join("release"))
}
