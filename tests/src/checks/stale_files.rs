//! `portbind free PATH`: removes the stale socket file, and never a file that takes its name meanwhile.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::ask::{ask, list};
use super::setting::Setting;
use super::support::SOON;
use crate::programs;
use crate::scratch::Folder;

/// A user without other files here.
const USER: u32 = 61_215;
/// Runs of `free` while another thread replaces the file.
const RUNS: u32 = 200;

/// Creates a stale socket file.
fn stale(path: &Path) -> anyhow::Result<()> {
    drop(UnixListener::bind(path).with_context(|| path.display().to_string())?);
    Ok(())
}

fn words(path: &Path) -> [String; 3] {
    ["free".to_owned(), path.display().to_string(), "--yes".to_owned()]
}

fn free(setting: Setting<'_>, path: &Path, code: i32) -> anyhow::Result<serde_json::Value> {
    let words = words(path);
    ask(setting, &words.each_ref().map(String::as_str), code)
}

/// In another user's folder, in a sticky folder, behind a link, and with two hard links.
pub(super) fn owners(setting: Setting<'_>) -> anyhow::Result<()> {
    for (folder_owner, file_owner, mode) in
        [(0, 0, 0o755), (USER, 0, 0o755), (0, USER, 0o1777), (USER, USER, 0o700)]
    {
        let folder = Folder::new("stale-owners", folder_owner)?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode))?;
        stale(&folder.at("s"))?;
        chown(folder.at("s"), Some(file_owner), None)?;
        fs::hard_link(folder.at("s"), folder.at("t"))?;
        free(setting, &folder.at("s"), 0)?;
        ensure!(folder.names()? == ["t"], "{folder_owner} {file_owner} {mode:o}: {:?}", folder.names()?);
    }
    // The user cannot write to the folder, and root does not write in the user's place.
    let folder = Folder::new("stale-denied", USER)?;
    stale(&folder.at("s"))?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555))?;
    says(setting, &folder.at("s"), 3, "cannot remove")?;
    ensure!(folder.names()? == ["s"], "{:?}", folder.names()?);
    links(setting)
}

/// A link of root may lead anywhere, a user's link only to the user's own folders.
fn links(setting: Setting<'_>) -> anyhow::Result<()> {
    let (from, roots, users) =
        (Folder::new("stale-from", USER)?, Folder::new("stale-root", 0)?, Folder::new("stale-user", USER)?);
    for (to, owner, may) in
        [(&roots, 0, true), (&users, 0, true), (&users, USER, true), (&roots, USER, false)]
    {
        stale(&to.at("s"))?;
        symlink(to.path(), from.at("link"))?;
        lchown(from.at("link"), Some(owner), None)?;
        let path = from.at("link").join("s");
        if may {
            free(setting, &path, 0)?;
        } else {
            says(setting, &path, 3, "symbolic link")?;
        }
        ensure!(to.names()?.is_empty() == may, "{owner}: {:?}", to.names()?);
        fs::remove_file(from.at("link"))?;
    }
    Ok(())
}

/// The removal fails with this code and reason.
fn says(setting: Setting<'_>, path: &Path, code: i32, why: &str) -> anyhow::Result<()> {
    let ended = Command::new(setting.portbind).args(words(path)).output()?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    ensure!(ended.status.code() == Some(code) && said.contains(why), "{}: {said}", ended.status);
    Ok(())
}

/// Killed between two steps: the next run finds the remaining file, and so does `who`.
pub(super) fn killed(setting: Setting<'_>) -> anyhow::Result<()> {
    for owner in [0, USER] {
        let folder = Folder::new("stale-killed", owner)?;
        let path = folder.at("s");
        stale(&path)?;
        let traced = programs::STRACE
            .command()?
            .args([
                "-f",
                "-qq",
                "-e",
                "trace=unlinkat",
                "-e",
                "inject=unlinkat:signal=KILL",
                "-o",
                "/dev/null",
            ])
            .arg(setting.portbind)
            .args(words(&path))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("strace cannot be started")?;
        ensure!(
            !traced.success() && folder.names()? == [".s.portbind-stale"],
            "{traced} {:?}",
            folder.names()?
        );
        let shown = ask(setting, &["who", &path.display().to_string()], 1)?;
        ensure!(shown["stale"] == true, "{shown}");
        free(setting, &path, 0)?;
        ensure!(folder.names()?.is_empty(), "{:?}", folder.names()?);
        // The file that was moved aside instead of the stale one is in use: it is found, and moved back.
        let live = UnixListener::bind(&path)?;
        fs::rename(&path, folder.at(".s.portbind-stale"))?;
        let shown = ask(setting, &["who", &path.display().to_string()], 0)?;
        ensure!(list(&shown, "holders").len() == 1, "{shown}");
        let shown = free(setting, &path, 1)?;
        ensure!(shown["cause"]["code"] == "live-socket-file" && folder.names()? == ["s"], "{shown}");
        UnixStream::connect(&path)?;
        drop(live);
    }
    Ok(())
}

/// In a sticky folder, a user has created a file under the name to which files are moved aside: it is neither moved nor
/// shown.
pub(super) fn taken(setting: Setting<'_>) -> anyhow::Result<()> {
    let folder = Folder::new("stale-taken", 0)?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777))?;
    let (path, aside) = (folder.at("s"), folder.at(".s.portbind-stale"));
    stale(&path)?;
    fs::write(&aside, "")?;
    in_the_way(setting, &folder)?;
    fs::remove_file(&aside)?;
    symlink("/etc/passwd", &aside)?;
    in_the_way(setting, &folder)?;
    fs::remove_file(&aside)?;
    fs::create_dir(&aside)?;
    in_the_way(setting, &folder)?;
    fs::remove_dir(&aside)?;
    let live = UnixListener::bind(&aside)?;
    in_the_way(setting, &folder)?;
    // Without a file of that name, the path is free, and stays free.
    fs::remove_file(&path)?;
    let shown = ask(setting, &["who", &path.display().to_string()], 1)?;
    ensure!(list(&shown, "holders").is_empty() && shown["stale"] != true, "{shown}");
    free(setting, &path, 0)?;
    ensure!(folder.names()? == [".s.portbind-stale"], "{:?}", folder.names()?);
    // A removal left root's own file.
    lchown(&aside, Some(0), Some(0))?;
    let shown = free(setting, &path, 1)?;
    ensure!(shown["cause"]["code"] == "live-socket-file" && folder.names()? == ["s"], "{shown}");
    drop(live);
    Ok(())
}

/// The user's file is in the way, and stays in place.
fn in_the_way(setting: Setting<'_>, folder: &Folder) -> anyhow::Result<()> {
    lchown(folder.at(".s.portbind-stale"), Some(USER), Some(USER))?;
    says(setting, &folder.at("s"), 5, "something else has the name that portbind needs")?;
    let mut names = folder.names()?;
    names.sort();
    ensure!(names == [".s.portbind-stale", "s"], "{names:?}");
    Ok(())
}

/// Another thread repeatedly replaces the file by one of a live socket: no live file is removed or lost.
pub(super) fn replaced(setting: Setting<'_>) -> anyhow::Result<()> {
    for owner in [0, USER] {
        let folder = Folder::new("stale-race", owner)?;
        let is_over = AtomicBool::new(false);
        let removed = std::thread::scope(|scope| -> anyhow::Result<u32> {
            let swapping = scope.spawn(|| swap(&folder, &is_over));
            let asked = ask_often(setting, &folder.at("s"), &is_over);
            is_over.store(true, Ordering::Relaxed);
            swapping.join().map_err(|_| anyhow::anyhow!("the swapper panicked"))??;
            asked
        })?;
        ensure!(removed > 0, "no run met a stale file: nothing was tried");
        ensure!(folder.names()?.iter().all(|name| name == "s"), "{:?}", folder.names()?);
    }
    Ok(())
}

/// Runs `free` repeatedly; returns how many runs reported that the path is or became free.
fn ask_often(setting: Setting<'_>, path: &Path, is_over: &AtomicBool) -> anyhow::Result<u32> {
    let mut removed = 0;
    for _ in 0..RUNS {
        let ended = Command::new(setting.portbind).args(words(path)).output()?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(matches!(ended.status.code(), Some(0 | 1)), "{}: {said}", ended.status);
        removed += u32::from(ended.status.success());
        if is_over.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(removed)
}

/// Creates a stale file, soon replaces it by a live one, and waits until the live one answers. Even if it was moved
/// aside in between, it is always moved back.
fn swap(folder: &Folder, is_over: &AtomicBool) -> anyhow::Result<()> {
    let swapped = (|| {
        for round in 0_u64.. {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            let (path, next) = (folder.at("s"), folder.at("next"));
            stale(&next)?;
            fs::rename(&next, &path)?;
            std::thread::sleep(Duration::from_micros(round * 37 % 4000));
            let live = UnixListener::bind(&next)?;
            let inode = fs::symlink_metadata(&next)?.ino();
            fs::rename(&next, &path)?;
            let begun = Instant::now();
            let is_there = || {
                fs::symlink_metadata(&path).is_ok_and(|there| there.ino() == inode)
                    && UnixStream::connect(&path).is_ok()
            };
            while !is_there() {
                ensure!(begun.elapsed() < SOON, "the file of a live socket is gone: {:?}", folder.names()?);
                std::thread::sleep(Duration::from_millis(1));
            }
            drop(live);
            // The file is stale from here on, and may have been removed.
            if let Err(error) = fs::remove_file(&path) {
                ensure!(error.kind() == std::io::ErrorKind::NotFound, "{error}");
            }
        }
        Ok(())
    })();
    is_over.store(true, Ordering::Relaxed);
    swapped
}
