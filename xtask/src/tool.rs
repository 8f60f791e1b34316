//! Runs other programs; every error contains the command.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// A `cargo` command without the settings of the surrounding `cargo xtask` and of the user's environment.
pub(crate) fn cargo() -> Command {
    let mut cmd = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let flags =
            matches!(name, "RUSTFLAGS" | "RUSTC_WRAPPER" | "RUSTC_WORKSPACE_WRAPPER" | "RUSTC_BOOTSTRAP");
        let settings =
            ["CARGO_BUILD_", "CARGO_ENCODED_", "CARGO_PROFILE_", "CARGO_TARGET_BPF", "CARGO_UNSTABLE_"];
        let package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
        if flags || settings.iter().chain(&package).any(|prefix| name.starts_with(prefix)) {
            cmd.env_remove(name);
        }
    }
    cmd.stdin(Stdio::null());
    cmd
}

/// Runs `cmd` with its output on the terminal; fails unless it succeeds.
pub(crate) fn run(cmd: &mut Command) -> Result<()> {
    let status = cmd.status().with_context(|| format!("failed to run {cmd:?}"))?;
    ensure!(status.success(), "failed to run {cmd:?}: {status}");
    Ok(())
}

/// Runs `cmd` and returns its standard output; fails unless it succeeds.
pub(crate) fn output(cmd: &mut Command) -> Result<String> {
    let output = cmd.stdin(Stdio::null()).output().with_context(|| format!("failed to run {cmd:?}"))?;
    let message = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "failed to run {cmd:?}: {}\n{}", output.status, message.trim());
    String::from_utf8(output.stdout).with_context(|| format!("output of {cmd:?} is not UTF-8"))
}

/// Compiler flags for `CARGO_ENCODED_RUSTFLAGS` that replace folder names. The last match wins, so more specific
/// folders come after wider ones.
pub(crate) fn remap_flags(folders: &[(PathBuf, &str)]) -> OsString {
    let mut flags = OsString::new();
    for (from, to) in folders {
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    flags
}
