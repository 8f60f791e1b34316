//! Finds the work tree around a folder, and reads its branch (gitrepository-layout(5)).

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fstat, openat};

use super::head::name;

/// The most bytes of a file that is read.
const MOST: u64 = 4096;
/// The most folders of a path.
const DEEPEST: usize = 64;

/// The branch of the work tree around `folder`, which begins at `root`. As git does, believes a work tree only if it
/// belongs to the user or to root: anybody can make a file `.git` in a shared folder.
pub(super) fn branch(root: BorrowedFd<'_>, folder: &[u8], uid: u32) -> Option<String> {
    let mut above = parts(&[], folder)?;
    let folders = opened(root, &above)?;
    for place in folders.iter().rev() {
        if let Some(found) = open(place.as_fd(), b".git", OFlags::PATH) {
            let is_owned = |file: &OwnedFd| fstat(file).is_ok_and(|stat| [0, uid].contains(&stat.st_uid));
            let is_trusted = is_owned(&found) && is_owned(place);
            return if is_trusted { head(root, &above, place, &found) } else { None };
        }
        above.pop();
    }
    None
}

/// The branch that `git`, the `.git` in a folder, leads to; `above` is the path of the folder.
fn head(root: BorrowedFd<'_>, above: &[&[u8]], folder: &OwnedFd, git: &OwnedFd) -> Option<String> {
    let kind = FileType::from_raw_mode(fstat(git).ok()?.st_mode);
    if kind == FileType::Directory {
        return name(&read(git.as_fd(), b"HEAD")?);
    }
    // A linked work tree: the file names the folder.
    let text = read(folder.as_fd(), b".git")?;
    let target = text.strip_prefix("gitdir: ")?.trim_end_matches('\n');
    let linked = opened(root, &parts(above, target.as_bytes())?)?;
    name(&read(linked.last()?.as_fd(), b"HEAD")?)
}

/// The parts of a path that begins in the folder `above`, without `.` and `..`; `None` if the path is too deep.
fn parts<'a>(above: &[&'a [u8]], path: &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let mut parts = if path.starts_with(b"/") { Vec::new() } else { above.to_vec() };
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part if parts.len() < DEEPEST => parts.push(part),
            _ => return None,
        }
    }
    Some(parts)
}

/// The folders on a path from `root`, which is the first of them.
fn opened(root: BorrowedFd<'_>, parts: &[&[u8]]) -> Option<Vec<OwnedFd>> {
    let mut folders = vec![root.try_clone_to_owned().ok()?];
    for part in parts {
        let next = open(folders.last()?.as_fd(), part, OFlags::PATH | OFlags::DIRECTORY)?;
        folders.push(next);
    }
    Some(folders)
}

fn open(folder: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> Option<OwnedFd> {
    openat(folder, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// The text of a small regular file. The file is opened for reading only after it was seen to be one: the opening of a
/// device has effects.
fn read(folder: BorrowedFd<'_>, name: &[u8]) -> Option<String> {
    is_small_file(&open(folder, name, OFlags::PATH)?)?;
    let file = open(folder, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
    is_small_file(&file)?;
    let mut text = String::new();
    File::from(file).take(MOST).read_to_string(&mut text).ok()?;
    Some(text)
}

fn is_small_file(file: &OwnedFd) -> Option<()> {
    let stat = fstat(file).ok()?;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    (is_file && u64::try_from(stat.st_size).ok()? <= MOST).then_some(())
}
