//! The release program: static, and without paths of the machine that built it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{setup, tool};

/// Maximum size in bytes.
const GOAL: u64 = 5_000_000;

/// The target for which programs are built: musl, or, if its library is not available, statically linked glibc.
pub(super) fn target() -> Result<&'static str> {
    let musl = setup::sysroot()?.join("lib/rustlib").join(setup::MUSL).join("lib");
    Ok(if musl.exists() { setup::MUSL } else { "x86_64-unknown-linux-gnu" })
}

/// Builds the program from the sources in `root`, in the target directory `folder`.
pub(super) fn build(root: &Path, folder: &Path) -> Result<PathBuf> {
    let target = target()?;
    if target != setup::MUSL {
        println!("dist: no library for {} (`cargo xtask setup`): static with glibc", setup::MUSL);
    }
    let find =
        |path: &Path| path.canonicalize().with_context(|| format!("failed to find {}", path.display()));
    let folders =
        [(setup::cargo_home()?, "/cargo"), (setup::sysroot()?, "/sysroot"), (find(root)?, "/portbind")];
    let mut flags = OsString::from("-Ctarget-feature=+crt-static");
    flags.push(tool::remap_flags(&folders));
    let mut cmd = tool::cargo();
    cmd.current_dir(root).args(["build", "--release", "--locked", "--package", "portbind"]);
    cmd.args(["--target", target]).env("CARGO_TARGET_DIR", folder).env("CARGO_ENCODED_RUSTFLAGS", flags);
    tool::run(&mut cmd)?;
    let program = folder.join(target).join("release/portbind");
    let size = fs::metadata(&program).with_context(|| format!("failed to read {}", program.display()))?.len();
    let verdict = if size <= GOAL { "within" } else { "ABOVE" };
    println!("dist: the program for {target} has {size} bytes, {verdict} the {GOAL} that are wanted");
    Ok(program)
}
