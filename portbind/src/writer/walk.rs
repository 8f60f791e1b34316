//! Resolves the path of a file that root will open: component by component, and through no symbolic link that another
//! user could have created.
//!
//! openat2(2) with `RESOLVE_NO_SYMLINKS` has disadvantages: it also refuses the system's own links (`/var/run`), does
//! not report which link it refused, requires Linux 5.6, and the seccomp filters of older container runtimes block it.
//! A walk with `O_NOFOLLOW` decides link by link, and checks the same descriptor from which it continues.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::Errno;

use super::refused::Refused;

/// System folders that contain links of the system (`/var/run`, `/home` on some systems): hier(7). A checkout is in
/// none of them, so a link of root's in a folder of root's was created by the administrator. Elsewhere a link may come
/// from a checkout by root: git(1) creates the links that were committed.
const SYSTEM: [&str; 3] = ["/", "/dev", "/var"];

/// The most links that are followed for one file.
const MAX_LINKS: usize = 8;

/// The location of a file, which may not exist yet.
#[derive(Debug)]
pub(super) struct Place {
    /// The file's folder.
    pub(super) folder: OwnedFd,
    /// The file's name in the folder; the code that opens it follows no link.
    pub(super) name: OsString,
}

/// The state of the walk.
struct Walk {
    folder: OwnedFd,
    /// The path of `folder`: free of links if it is absolute; otherwise relative to the working folder.
    at: PathBuf,
    rest: VecDeque<OsString>,
    links: usize,
}

/// Finds the folder of a file.
///
/// # Errors
/// [`Refused::Link`] if the path contains a link that must not be followed; the errors of openat(2).
pub(super) fn find(path: &Path) -> io::Result<Place> {
    let mut walk = Walk::start(path)?;
    while let Some(name) = walk.rest.pop_front() {
        if name == ".." {
            walk.up()?;
        } else if !walk.rest.is_empty() {
            walk.enter(&name)?;
        } else if !walk.follows(&name)? {
            return Ok(Place { folder: walk.folder, name });
        }
    }
    Err(Errno::ISDIR.into())
}

impl Walk {
    fn start(path: &Path) -> io::Result<Self> {
        if path.as_os_str().is_empty() {
            return Err(Errno::NOENT.into());
        }
        if path.as_os_str().as_bytes().ends_with(b"/") {
            return Err(Errno::ISDIR.into());
        }
        let here = if path.is_absolute() { "/" } else { "." };
        let folder = openat(CWD, here, folder_flags(), Mode::empty())?;
        let at = if path.is_absolute() { PathBuf::from("/") } else { PathBuf::new() };
        Ok(Self { folder, at, rest: names(path), links: 0 })
    }

    fn up(&mut self) -> io::Result<()> {
        self.folder = openat(&self.folder, "..", folder_flags(), Mode::empty())?;
        if !self.at.pop() && !self.at.is_absolute() {
            self.at.push("..");
        }
        Ok(())
    }

    /// Enters a folder, or follows a link.
    fn enter(&mut self, name: &OsStr) -> io::Result<()> {
        let next = openat(&self.folder, name, path_flags(), Mode::empty())?;
        let stat = fstat(&next)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                self.folder = next;
                self.at.push(name);
                Ok(())
            }
            FileType::Symlink if self.trusts(&stat)? => self.follow(&next),
            FileType::Symlink => Err(io::Error::other(Refused::Link(self.at.join(name)))),
            _ => Err(Errno::NOTDIR.into()),
        }
    }

    /// Follows the last name if it is a link of the system. Other links are left to the code that opens the file.
    fn follows(&mut self, name: &OsStr) -> io::Result<bool> {
        let last = match openat(&self.folder, name, path_flags(), Mode::empty()) {
            Err(Errno::NOENT) => return Ok(false),
            other => other?,
        };
        let stat = fstat(&last)?;
        let follows = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink && self.trusts(&stat)?;
        if follows {
            self.follow(&last)?;
        }
        Ok(follows)
    }

    /// Whether only root could have created this link in this folder.
    fn trusts(&self, link: &Stat) -> io::Result<bool> {
        let folder = fstat(&self.folder)?;
        let is_roots = link.st_uid == 0 && folder.st_uid == 0 && folder.st_mode & 0o022 == 0;
        Ok(is_roots && SYSTEM.iter().any(|system| self.at == Path::new(system)))
    }

    fn follow(&mut self, link: &OwnedFd) -> io::Result<()> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::LOOP.into());
        }
        let target = PathBuf::from(OsString::from_vec(readlinkat(link, "", Vec::new())?.into_bytes()));
        if target.is_absolute() {
            self.folder = openat(CWD, "/", folder_flags(), Mode::empty())?;
            self.at = PathBuf::from("/");
        }
        let mut rest = names(&target);
        rest.append(&mut self.rest);
        self.rest = rest;
        Ok(())
    }
}

/// The components of a path, including `..`.
fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).collect()
}

const fn folder_flags() -> OFlags {
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC)
}

const fn path_flags() -> OFlags {
    OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC)
}
