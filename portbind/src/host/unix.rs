//! The file at a path for which an AF_UNIX bind was refused, as the caller saw the file system.

use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use jiff::Timestamp;
use portbind_abi::FileView;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use super::broker::{Liveness, PathQuestion, Resolve};
use super::entrance::Entrance;
use super::procfs::Procfs;
use crate::diagnosis::unix::Object;

/// Identifies a file, as unix_diag reports it (`struct unix_diag_vfs`, include/uapi/linux/unix_diag.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    /// Inode number; unix_diag reports its lower half.
    pub inode: u32,
    /// Device number in the kernel's own form (MKDEV in include/linux/kdev_t.h).
    pub device: u32,
}

/// The state of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The kind of file at the path.
    pub object: Object,
    /// Identity of the file.
    pub file: Option<FileId>,
    /// Creation time, as the file system reports it: for a socket, its last modification.
    pub made: Option<Timestamp>,
    /// The absolute path.
    pub absolute: Option<Vec<u8>>,
    /// Whether this process has the same root and mounts.
    pub is_ours: bool,
}

impl Sight {
    /// Nothing is visible.
    pub const NONE: Self =
        Self { object: Object::Unseen, file: None, made: None, absolute: None, is_ours: false };
}

/// Examines a path from the root of a process, or from its current folder.
///
/// A symbolic link in the last part is not followed, as in bind (`kern_path_create` in fs/namei.c).
#[must_use]
pub fn sight_at(procfs: &Procfs, entrance: &Entrance, pid: u32, path: &[u8]) -> Sight {
    let is_ours = shares_files(procfs, pid);
    let is_absolute = path.starts_with(b"/");
    let place = if is_absolute { "root" } else { "cwd" };
    let Ok(start) = openat(CWD, procfs.root().join(format!("{pid}/{place}")), folder(), Mode::empty()) else {
        return Sight { is_ours, ..Sight::NONE };
    };
    let resolve = match (is_absolute, is_ours) {
        (true, _) => Resolve::InRoot,
        (false, true) => Resolve::Here,
        (false, false) => Resolve::WithoutLinks,
    };
    let open = |follows| entrance.path(start.as_fd(), PathQuestion { path, resolve, follows });
    let absolute = absolute(procfs, pid, path, is_ours);
    match open(false) {
        Ok(found) => {
            let is_dangling = || open(true).err() == Some(Errno::NOENT);
            let Identified { object, file, made } = identify(entrance, found.as_fd(), is_dangling);
            Sight { object, file, made, absolute, is_ours }
        }
        Err(Errno::NOENT) => Sight { object: Object::Gone, absolute, is_ours, ..Sight::NONE },
        Err(_) => Sight { is_ours, ..Sight::NONE },
    }
}

/// How exactly two views of the file system must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Folders have the same devices and inode numbers.
    Same,
    /// Folders have the same inode numbers: some file systems (btrfs, overlayfs) report different devices to different
    /// processes.
    SameNumbers,
}

/// Whether a process sees the same file at this path as `view`: it has the same mounts, the same root and, for a
/// relative path, the same current folder.
#[must_use]
pub fn sees(procfs: &Procfs, pid: u32, view: &FileView, path: &[u8], likeness: Likeness) -> bool {
    let is_at = |place: &str, inode: u64, device: u32| {
        let found = openat(CWD, procfs.root().join(format!("{pid}/{place}")), folder(), Mode::empty());
        let is_device = |of: u64| likeness == Likeness::SameNumbers || device_number(of) == device;
        found.and_then(fstat).is_ok_and(|stat| stat.st_ino == inode && is_device(stat.st_dev))
    };
    procfs.namespace_of(&pid.to_string(), "mnt") == Some(view.mounts)
        && is_at("root", view.root, view.root_device)
        && (path.starts_with(b"/") || is_at("cwd", view.folder, view.folder_device))
}

/// A device number in the kernel's form.
fn device_number(device: u64) -> u32 {
    rustix::fs::major(device) << 20 | rustix::fs::minor(device)
}

fn folder() -> OFlags {
    OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Whether a process has the same mounts and the same root as this one.
fn shares_files(procfs: &Procfs, pid: u32) -> bool {
    let mounts = |pid: &str| procfs.link(&format!("{pid}/ns/mnt"));
    let root = |path: &Path| {
        let root = openat(CWD, path, folder(), Mode::empty()).and_then(fstat).ok()?;
        Some((root.st_dev, root.st_ino))
    };
    let theirs = mounts(&pid.to_string());
    theirs.is_some()
        && theirs == mounts("self")
        && root(&procfs.root().join(format!("{pid}/root"))) == root("/".as_ref())
}

/// The absolute path.
pub(super) fn absolute(procfs: &Procfs, pid: u32, path: &[u8], is_ours: bool) -> Option<Vec<u8>> {
    if path.starts_with(b"/") {
        return Some(path.to_vec());
    }
    // The path as this process sees it is of no use to a process with another root.
    let folder = if is_ours { procfs.link(&format!("{pid}/cwd"))? } else { return None };
    let relative = path.strip_prefix(b"./").unwrap_or(path);
    Some([folder.strip_suffix(b"/").unwrap_or(&folder), b"/", relative].concat())
}

/// The kind and identity of an open file.
pub(super) struct Identified {
    pub(super) object: Object,
    /// Identity of the file.
    pub(super) file: Option<FileId>,
    /// Creation time, as in [`Sight`].
    pub(super) made: Option<Timestamp>,
}

/// Identifies a file opened with O_PATH.
pub(super) fn identify(
    entrance: &Entrance,
    found: BorrowedFd<'_>,
    is_dangling: impl Fn() -> bool,
) -> Identified {
    let Ok(stat) = fstat(found) else {
        return Identified { object: Object::Unseen, file: None, made: None };
    };
    let object = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket => match entrance.liveness(found) {
            Liveness::Live => Object::LiveSocket,
            Liveness::Stale => Object::StaleSocket,
            Liveness::Unknown => Object::Socket,
        },
        FileType::RegularFile => Object::File,
        FileType::Directory => Object::Directory,
        FileType::Symlink if is_dangling() => Object::DanglingLink,
        FileType::Symlink => Object::Link,
        FileType::Fifo => Object::Pipe,
        FileType::CharacterDevice | FileType::BlockDevice => Object::Device,
        FileType::Unknown => Object::Unseen,
    };
    let device = device_number(stat.st_dev);
    // Only the lower half can be compared.
    let inode = u32::try_from(stat.st_ino & u64::from(u32::MAX)).unwrap_or_default();
    let nanoseconds = i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec);
    let made = Timestamp::from_nanosecond(nanoseconds).ok();
    Identified { object, file: Some(FileId { inode, device }), made }
}

/// Opens the file of a network namespace: through process `pid` if it is in that namespace, otherwise through this
/// process, otherwise through any process in it.
#[must_use]
pub fn namespace(procfs: &Procfs, netns: u32, pid: u32) -> Option<(String, OwnedFd)> {
    let likely = [pid.to_string(), "self".to_owned()];
    let others = likely.into_iter().chain(processes(procfs));
    others.into_iter().find_map(|process| {
        let is_it = procfs.namespace_of(&process, "net") == Some(netns);
        is_it.then(|| open_namespace(procfs, &process)).flatten().map(|file| (process, file))
    })
}

/// A process and the namespace file of each network namespace that contains a process, this process's own first.
#[must_use]
pub fn namespaces(procfs: &Procfs) -> Vec<(String, OwnedFd)> {
    let mut seen = std::collections::HashSet::new();
    std::iter::once("self".to_owned())
        .chain(processes(procfs))
        .filter(|process| procfs.namespace_of(process, "net").is_some_and(|netns| seen.insert(netns)))
        .filter_map(|process| open_namespace(procfs, &process).map(|file| (process, file)))
        .collect()
}

fn open_namespace(procfs: &Procfs, process: &str) -> Option<OwnedFd> {
    File::open(procfs.root().join(process).join("ns/net")).ok().map(OwnedFd::from)
}

fn processes(procfs: &Procfs) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(procfs.root()).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
#[path = "unix_tests.rs"]
mod tests;
