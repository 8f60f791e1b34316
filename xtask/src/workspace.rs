//! The workspace's root and the target directory.

use std::env;
use std::path::{Path, PathBuf};

/// Root of the workspace in which this program was built.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// The target directory, as Cargo would choose it; always absolute.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// The folder for tools that `cargo xtask setup` installs.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}
