//! The tarball: laid out like /usr/local, so that it can be unpacked there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::dist::program;
use crate::tool;

/// Files in addition to the program: path in the repository, and path in the tarball. For a folder, all its files.
const FILES: [(&str, &str); 11] = [
    ("LICENSE-APACHE", "share/doc/portbind/LICENSE-APACHE"),
    ("LICENSE-MIT", "share/doc/portbind/LICENSE-MIT"),
    ("README.md", "share/doc/portbind/README.md"),
    ("CHANGELOG.md", "share/doc/portbind/CHANGELOG.md"),
    ("docs", "share/doc/portbind/docs"),
    ("docs/causes", "share/doc/portbind/docs/causes"),
    ("docs/man", "share/man/man1"),
    ("docs/completions/portbind.bash", "share/bash-completion/completions/portbind"),
    ("docs/completions/_portbind", "share/zsh/site-functions/_portbind"),
    ("docs/completions/portbind.fish", "share/fish/vendor_completions.d/portbind.fish"),
    ("packaging/portbind.service", "lib/systemd/system/portbind.service"),
];

/// Packs `program` and the files of `root` into a tarball in `folder`, all with the timestamp `epoch`.
pub(super) fn pack(root: &Path, program: &Path, folder: &Path, epoch: &str) -> Result<PathBuf> {
    let name = format!("portbind-{}-{}", env!("CARGO_PKG_VERSION"), program::target()?);
    let stage = folder.join(&name);
    copy(program, &stage.join("bin/portbind"))?;
    for (from, to) in FILES {
        copy(&root.join(from), &stage.join(to))?;
    }
    let tarball = folder.join(format!("{name}.tar.gz"));
    let mut cmd = Command::new("tar");
    cmd.arg("--create").arg("--file").arg(&tarball).arg("--use-compress-program=gzip --no-name --best");
    // The archive does not depend on the user, the time or the order of the files.
    cmd.args(["--sort=name", "--format=ustar", "--owner=root:0", "--group=root:0", "--mode=u=rwX,go=rX"]);
    tool::run(cmd.arg(format!("--mtime=@{epoch}")).arg("--directory").arg(folder).arg(&name))?;
    fs::remove_dir_all(&stage).with_context(|| format!("failed to remove {}", stage.display()))?;
    Ok(tarball)
}

/// Copies a file, or the files of a folder without its subfolders.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        for entry in fs::read_dir(from).with_context(|| format!("failed to list {}", from.display()))? {
            let entry = entry.with_context(|| format!("failed to list {}", from.display()))?;
            if entry.path().is_file() {
                copy(&entry.path(), &to.join(entry.file_name()))?;
            }
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).with_context(|| format!("failed to create {}", parent.display()))?;
    }
    fs::copy(from, to).with_context(|| format!("failed to copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
