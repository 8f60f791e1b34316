//! Debug builds of the workspace.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{tool, workspace};

/// Builds programs of the workspace; `programs` are their names.
pub(crate) fn build(programs: &[&str]) -> Result<()> {
    let options = programs.iter().flat_map(|name| ["--bin", name]);
    // Building an example selects the dependencies' features for tests, as in `cargo test`.
    tool::run(command(&["--example", GENERATE]).args(options))
}

/// The example that writes generated files.
pub(crate) const GENERATE: &str = "generate";

/// A build of the workspace with these options. It selects all packages, so that Cargo chooses the same features of
/// dependencies as for `cargo test --workspace`, and compiles none of them twice.
pub(crate) fn command(options: &[&str]) -> Command {
    let mut cmd = tool::cargo();
    cmd.current_dir(workspace::root()).args(["build", "--locked", "--workspace"]).args(options);
    cmd
}

/// The path of a program.
pub(crate) fn program(name: &str) -> PathBuf {
    workspace::target().join("debug").join(name)
}

/// The path of an example.
pub(crate) fn example(name: &str) -> PathBuf {
    workspace::target().join("debug/examples").join(name)
}
