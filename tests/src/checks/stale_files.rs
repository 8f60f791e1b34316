//! `portbind free PATH`: the stale socket file is removed, and never one that takes its name meanwhile.

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

/// A user that owns nothing else here.
const USER: u32 = 61_215;
/// Runs of `free` while somebody replaces the file.
const RUNS: u32 = 200;

/// Leaves a stale socket file.
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

/// In the folder of another user, in a sticky one, behind a link, and where the file has two names.
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
    // The user cannot write to its own folder: root does not do it in its place.
    let folder = Folder::new("stale-denied", USER)?;
    stale(&folder.at("s"))?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555))?;
    says(setting, &folder.at("s"), 3, "cannot remove")?;
    ensure!(folder.names()? == ["s"], "{:?}", folder.names()?);
    links(setting)
}

/// A link of root leads anywhere, that of a user only to the user's own folders.
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

/// The removal fails, with this code, and says why.
fn says(setting: Setting<'_>, path: &Path, code: i32, why: &str) -> anyhow::Result<()> {
    let ended = Command::new(setting.portbind).args(words(path)).output()?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    ensure!(ended.status.code() == Some(code) && said.contains(why), "{}: {said}", ended.status);
    Ok(())
}

/// Killed between two steps: the next run finds what is left, and so does `who`.
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
        let told = ask(setting, &["who", &path.display().to_string()], 1)?;
        ensure!(told["stale"] == true, "{told}");
        free(setting, &path, 0)?;
        ensure!(folder.names()?.is_empty(), "{:?}", folder.names()?);
        // What was moved aside in place of the stale one is in use: it is found, and put back.
        let live = UnixListener::bind(&path)?;
        fs::rename(&path, folder.at(".s.portbind-stale"))?;
        let told = ask(setting, &["who", &path.display().to_string()], 0)?;
        ensure!(list(&told, "holders").len() == 1, "{told}");
        let told = free(setting, &path, 1)?;
        ensure!(told["cause"]["code"] == "live-socket-file" && folder.names()? == ["s"], "{told}");
        UnixStream::connect(&path)?;
        drop(live);
    }
    Ok(())
}

/// In a sticky folder a user has put something at the name that files are moved aside to: it is neither moved nor
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
    // Without a file of that name, the path is free, and stays so.
    fs::remove_file(&path)?;
    let told = ask(setting, &["who", &path.display().to_string()], 1)?;
    ensure!(list(&told, "holders").is_empty() && told["stale"] != true, "{told}");
    free(setting, &path, 0)?;
    ensure!(folder.names()? == [".s.portbind-stale"], "{:?}", folder.names()?);
    // Root's own file was left by a removal.
    lchown(&aside, Some(0), Some(0))?;
    let told = free(setting, &path, 1)?;
    ensure!(told["cause"]["code"] == "live-socket-file" && folder.names()? == ["s"], "{told}");
    drop(live);
    Ok(())
}

/// What the user has put there is in the way, and stays where it is.
fn in_the_way(setting: Setting<'_>, folder: &Folder) -> anyhow::Result<()> {
    lchown(folder.at(".s.portbind-stale"), Some(USER), Some(USER))?;
    says(setting, &folder.at("s"), 5, "something else has the name that portbind needs")?;
    let mut names = folder.names()?;
    names.sort();
    ensure!(names == [".s.portbind-stale", "s"], "{names:?}");
    Ok(())
}

/// Somebody replaces the file by that of a live socket, again and again: none of them is removed, nor lost.
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

/// Runs `free`; how many runs found the path free, or made it so.
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

/// Puts a stale file there, replaces it by a live one after a moment, and waits until that one answers. Whether it
/// was moved aside in between or not: it is always back.
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
            // It is stale from here on, and may have been removed as such.
            if let Err(error) = fs::remove_file(&path) {
                ensure!(error.kind() == std::io::ErrorKind::NotFound, "{error}");
            }
        }
        Ok(())
    })();
    is_over.store(true, Ordering::Relaxed);
    swapped
}
