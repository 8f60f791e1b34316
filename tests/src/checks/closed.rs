//! Information that must not be disclosed to the caller of sudo.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::path::Path;
use std::process::Command;

use anyhow::ensure;

use super::setting::Setting;
use crate::scratch::Folder;
use crate::tracer::{Ended, Tracer};

/// A user without other files here.
const USER: u32 = 61_216;

/// The output does not disclose which files exist in a folder of root's: neither through the caller's symbolic link,
/// nor through the file of a supposed network namespace.
pub(super) fn paths(setting: Setting<'_>) -> anyhow::Result<()> {
    let (closed, checkout) = (Folder::new("closed", 0)?, Folder::new("checkout", USER)?);
    fs::set_permissions(closed.path(), Permissions::from_mode(0o700))?;
    fs::write(closed.at("there"), "")?;
    symlink(closed.path(), checkout.at("link"))?;
    lchown(checkout.at("link"), Some(USER), Some(USER))?;
    let said = |words: &[&str], folder: &Path, name: &str| {
        let path = folder.join(name);
        let mut command = Command::new(setting.portbind);
        command.args(words).arg(&path);
        command.env("SUDO_UID", USER.to_string()).env("SUDO_GID", USER.to_string());
        let Ended { status, stdout, stderr } = Tracer::spawn(&mut command)?.end()?;
        let text = [stdout, stderr].concat().join("\n");
        Ok::<_, anyhow::Error>((status.code(), text.replace(&path.display().to_string(), "PATH")))
    };
    let link = checkout.at("link");
    for (words, folder) in [
        (&["who"][..], link.as_path()),
        (&["free", "--yes"][..], &link),
        (&["check", "1", "--netns"][..], closed.path()),
    ] {
        let there = said(words, folder, "there")?;
        for name in ["none", "none/below", "there/below"] {
            let other = said(words, folder, name)?;
            ensure!(there == other, "{words:?} tells them apart: {there:?} and {other:?}");
        }
    }
    // The caller's own links still work.
    symlink(".", checkout.at("here"))?;
    lchown(checkout.at("here"), Some(USER), Some(USER))?;
    let own = said(&["free", "--yes"], &checkout.at("here"), "none")?;
    ensure!(own.0 == Some(0), "{own:?}");
    Ok(())
}
