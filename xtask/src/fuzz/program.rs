//! The build of the fuzzer.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use super::compiler;
use crate::{debug, setup, tool};

/// Builds the fuzzer, and returns its path.
pub(super) fn build() -> Result<PathBuf> {
    let library = setup::fuzzer_library();
    ensure!(library.exists(), "{} is missing: run `cargo xtask setup`", library.display());
    let mut cmd = debug::command(&["--features", "portbind-fuzz/libfuzzer", "--example", "portbind-fuzz"]);
    cmd.env("RUSTC_WORKSPACE_WRAPPER", env::current_exe().context("where this program is is not known")?);
    cmd.env(compiler::VARIABLE, "1").env("CUSTOM_LIBFUZZER_PATH", library);
    tool::run(&mut cmd)?;
    Ok(debug::example("portbind-fuzz"))
}
