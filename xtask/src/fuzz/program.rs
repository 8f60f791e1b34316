//! The build of the fuzzer.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use super::compiler;
use crate::setup;
use crate::{tool, workspace};

/// Builds the fuzzer, and returns where it is.
///
/// The tests are named only so that Cargo chooses the same features of dependencies as for their build, and need not compile
/// these twice.
pub(super) fn build() -> Result<PathBuf> {
    let library = setup::fuzzer_library();
    ensure!(library.exists(), "{} is missing: run `cargo xtask setup`", library.display());
    let mut cmd = tool::cargo();
    cmd.current_dir(workspace::root()).args(["build", "--locked", "--package", "portbind-tests"]);
    cmd.args([
        "--package",
        "portbind-fuzz",
        "--features",
        "portbind-fuzz/libfuzzer",
        "--bin",
        "portbind-fuzz",
    ]);
    cmd.env("RUSTC_WORKSPACE_WRAPPER", env::current_exe().context("where this program is is not known")?);
    cmd.env(compiler::VARIABLE, "1").env("CUSTOM_LIBFUZZER_PATH", library);
    tool::run(&mut cmd)?;
    Ok(workspace::target().join("debug/portbind-fuzz"))
}
