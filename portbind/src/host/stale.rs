//! Removes a stale socket file, and never another file that takes its name meanwhile.
//!
//! unlink(2) takes a name. So the file is pinned by a descriptor, which keeps its inode number from being reused; moved
//! aside, which takes the name from any process that would replace the file; identified there; and removed if it is the
//! pinned file, otherwise put back. No step replaces a file (RENAME_NOREPLACE, renameat2(2)). If portbind is killed
//! between two steps, the moved file keeps a name that the next run recognises.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Stat, fstat, openat, renameat_with, statat, unlinkat};
use rustix::io::Errno;

use super::entrance::Entrance;
use super::path_walk::{Walked, walk};
use super::unix::identify;
use crate::diagnosis::unix::Object;

/// The mode bits by which users other than the owner can write to a folder: its group, or all users. With an access
/// control list, the group bits are the maximum that the list grants (acl(5)).
const SHARED: u32 = 0o022;

/// Identifies a file within this program while the file is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Device.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

impl Identity {
    const fn of(stat: &Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }
}

/// One step of a removal. A step needs the right to write to the folder, and no other right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Moves the file aside and removes it there if it is this file; otherwise puts it back.
    Remove(Identity),
    /// Removes the file that was moved aside, if it is this file.
    Discard(Identity),
    /// Puts back the file that was moved aside.
    Restore,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The step is done.
    Done,
    /// There is no such file.
    Gone,
    /// Another file has the name, and is still at its place.
    Replaced,
    /// A file is in the way: at the name itself, or at the name that files are moved aside to.
    Occupied,
}

/// A place of a removable file: a name in an open folder.
#[derive(Debug)]
pub struct Spot {
    folder: OwnedFd,
    name: OsString,
    aside: OsString,
    links: Vec<u32>,
}

/// A file at a spot, pinned.
#[derive(Debug)]
pub struct Pinned {
    /// The file's identity, valid while this value exists.
    pub identity: Identity,
    /// The kind of file.
    pub object: Object,
    /// Owner of the file.
    pub uid: u32,
    _pin: OwnedFd,
}

/// The rights that a step uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The rights of this process.
    Own,
    /// The rights of a user, who can do the same without portbind.
    Of(u32),
    /// A symbolic link of this user leads to a folder that is not the user's.
    Led(u32),
}

/// The path that a file is moved to while it is removed; `None` if the path names no file.
#[must_use]
pub fn aside(path: &Path) -> Option<PathBuf> {
    Some(path.with_file_name(aside_name(path.file_name()?)))
}

/// The path at which an interrupted removal has left a socket file; `None` if no such file is found.
#[must_use]
pub fn left_aside(path: &Path) -> Option<PathBuf> {
    Spot::open(path).ok()?.leftover().ok()??;
    aside(path)
}

fn aside_name(name: &OsStr) -> OsString {
    let mut aside = OsString::from(".");
    aside.push(name);
    aside.push(".portbind-stale");
    aside
}

impl Spot {
    /// Opens the folder of a path.
    ///
    /// # Errors
    /// If there is no such folder, or the path names no file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let Walked { folder, links, end } = walk(parent.unwrap_or(Path::new(".")))?;
        end?;
        Ok(Self { links, ..Self::inside(folder, name) })
    }

    /// A name in an open folder.
    #[must_use]
    pub fn inside(folder: OwnedFd, name: &OsStr) -> Self {
        Self { folder, name: name.to_owned(), aside: aside_name(name), links: Vec::new() }
    }

    /// The folder, and the name in it.
    #[must_use]
    pub fn parts(&self) -> (&OwnedFd, &OsStr) {
        (&self.folder, &self.name)
    }

    /// Pins the file; `None` if there is none.
    ///
    /// # Errors
    /// The errors of openat(2) and fstat(2).
    pub fn pin(&self) -> io::Result<Option<Pinned>> {
        pin(&self.folder, &self.name)
    }

    /// Pins the file that was moved aside; `None` if there is none.
    ///
    /// # Errors
    /// The errors of openat(2) and fstat(2).
    pub fn pin_aside(&self) -> io::Result<Option<Pinned>> {
        pin(&self.folder, &self.aside)
    }

    /// Pins the socket file that an interrupted removal has left aside. A file that any user can have put there does
    /// not count.
    ///
    /// # Errors
    /// The errors of openat(2) and fstat(2).
    pub fn leftover(&self) -> io::Result<Option<Pinned>> {
        let Some(left) = self.pin_aside()? else { return Ok(None) };
        let is_socket = matches!(left.object, Object::StaleSocket | Object::LiveSocket | Object::Socket);
        Ok((is_socket && self.is_trusted(left.uid)?).then_some(left))
    }

    /// Whether only root, the owner of the folder and the user of this process can have given a file of this user its
    /// name.
    fn is_trusted(&self, file_uid: u32) -> io::Result<bool> {
        let folder = fstat(&self.folder)?;
        let own = rustix::process::geteuid().as_raw();
        Ok(folder.st_mode & SHARED == 0 || [0, folder.st_uid, own].contains(&file_uid))
    }

    /// The rights that a step uses for a file of this user: the rights of a user who could take the step without
    /// portbind. That user is the owner of the folder, or the owner of the file if other users can write to root's
    /// folder. The owner of a link on the path also influences which file is removed, and so must be root, the user of
    /// this process, or the user of these rights.
    ///
    /// # Errors
    /// The errors of fstat(2).
    pub fn rights(&self, file_uid: u32) -> io::Result<Rights> {
        let folder = fstat(&self.folder)?;
        let is_open = folder.st_mode & SHARED != 0;
        let uid = match folder.st_uid {
            0 if is_open => file_uid,
            owner => owner,
        };
        let own = rustix::process::geteuid().as_raw();
        if let Some(&led) = self.links.iter().find(|&&link| ![0, own, uid].contains(&link)) {
            return Ok(Rights::Led(led));
        }
        // Only root can take the rights of another user.
        Ok(if own != 0 || uid == own { Rights::Own } else { Rights::Of(uid) })
    }

    /// Takes a step.
    ///
    /// # Errors
    /// The errors of renameat2(2) and unlinkat(2): EINVAL if the file system cannot rename without replacing.
    pub fn take(&self, step: Step) -> io::Result<Taken> {
        match step {
            Step::Remove(identity) => self.remove(identity),
            Step::Discard(identity) => self.discard(identity),
            Step::Restore => self.restore(),
        }
    }

    fn remove(&self, identity: Identity) -> io::Result<Taken> {
        match self.identity(&self.name)? {
            None => return Ok(Taken::Gone),
            Some(there) if there != identity => return Ok(Taken::Replaced),
            Some(_) => {}
        }
        match self.rename(&self.name, &self.aside)? {
            Taken::Done => {}
            other => return Ok(other),
        }
        if self.discard(identity)? == Taken::Done {
            return Ok(Taken::Done);
        }
        Ok(match self.restore()? {
            Taken::Done => Taken::Replaced,
            other => other,
        })
    }

    fn discard(&self, identity: Identity) -> io::Result<Taken> {
        match self.identity(&self.aside)? {
            None => Ok(Taken::Gone),
            Some(there) if there != identity => Ok(Taken::Replaced),
            Some(_) => Ok(unlinkat(&self.folder, &self.aside, AtFlags::empty()).map(|()| Taken::Done)?),
        }
    }

    fn restore(&self) -> io::Result<Taken> {
        self.rename(&self.aside, &self.name)
    }

    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<Taken> {
        match renameat_with(&self.folder, from, &self.folder, to, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(Taken::Done),
            Err(Errno::NOENT) => Ok(Taken::Gone),
            Err(Errno::EXIST) => Ok(Taken::Occupied),
            Err(error) => Err(error.into()),
        }
    }

    fn identity(&self, name: &OsStr) -> io::Result<Option<Identity>> {
        match statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Identity::of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn pin(folder: impl AsFd, name: &OsStr) -> io::Result<Option<Pinned>> {
    let file = match openat(folder, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        other => other?,
    };
    let stat = fstat(&file)?;
    let object = identify(&Entrance::Own, file.as_fd(), || false).object;
    Ok(Some(Pinned { identity: Identity::of(&stat), object, uid: stat.st_uid, _pin: file }))
}

#[cfg(test)]
#[path = "stale_tests.rs"]
mod tests;
