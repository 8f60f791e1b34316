//! Debug builds of what is in the workspace.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{tool, workspace};

/// Builds programs of the workspace; `programs` are their names.
pub(crate) fn build(programs: &[&str]) -> Result<()> {
    let options = programs.iter().flat_map(|name| ["--bin", name]);
    // With an example among what is built, dependencies have the features that tests ask for, as in `cargo test`.
    tool::run(command(&["--example", GENERATE]).args(options))
}

/// The example that writes generated files.
pub(crate) const GENERATE: &str = "generate";

/// A build of the workspace with these options. All packages are named, so that Cargo chooses the same features of
/// dependencies as for `cargo test --workspace`, and compiles none of them twice.
pub(crate) fn command(options: &[&str]) -> Command {
    let mut cmd = tool::cargo();
    cmd.current_dir(workspace::root()).args(["build", "--locked", "--workspace"]).args(options);
    cmd
}

/// Where a program is.
pub(crate) fn program(name: &str) -> PathBuf {
    workspace::target().join("debug").join(name)
}

/// Where an example is.
pub(crate) fn example(name: &str) -> PathBuf {
    workspace::target().join("debug/examples").join(name)
}
