//! The Debian package; portbind/Cargo.toml lists its contents.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::dist::program;
use crate::{setup, tool};

/// Packs the program that was built from the sources in `root` in the target directory `target` into `folder`.
pub(super) fn pack(root: &Path, target: &Path, folder: &Path, epoch: &str) -> Result<PathBuf> {
    let packer = setup::cargo_deb().context("cargo-deb is missing: run `cargo xtask setup`")?;
    let package = folder.join(format!("portbind_{}_amd64.deb", env!("CARGO_PKG_VERSION")));
    let mut cmd = Command::new(packer);
    cmd.current_dir(root).stdin(Stdio::null()).stdout(Stdio::null());
    cmd.args(["--quiet", "--no-build", "--locked", "--package", "portbind", "--target", program::target()?]);
    cmd.arg("--output").arg(&package);
    cmd.env("CARGO_TARGET_DIR", target).env("SOURCE_DATE_EPOCH", epoch);
    tool::run(&mut cmd)?;
    Ok(package)
}
