//! Network namespaces on the command line.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{Mode, OFlags};

use super::error::{ValueError, digits};
use crate::host::{Host, Netns};
use crate::sys::namespace::{CLONE_NEWNET, namespace_kind};
use crate::writer::Caller;

/// Magic number of the file system of namespaces (include/uapi/linux/magic.h).
const NSFS_MAGIC: i64 = 0x6e73_6673;

/// A reference to a network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetnsRef {
    /// By inode number: `4026531840` or `net:[4026531840]`.
    Inode(u32),
    /// The namespace of a process: `pid:123`.
    Pid(u32),
    /// By path: any word with a slash.
    Path(PathBuf),
    /// By its name under /run/netns, as ip-netns(8) gives them.
    Name(String),
}

impl NetnsRef {
    /// The inode number of the namespace.
    ///
    /// # Errors
    ///
    /// If the file cannot be found; `InvalidInput` if the file is not a namespace.
    pub fn resolve(&self) -> io::Result<u32> {
        match self.path() {
            Err(number) => Ok(number),
            Ok(path) => inode(&self.open_file(&path)?),
        }
    }

    /// Opens the namespace. For an inode number, searches the processes and the names in /run/netns.
    ///
    /// # Errors
    ///
    /// As for [`Self::resolve`]; `NotFound` if no process is in the namespace and the namespace has no name.
    pub fn open(&self, host: &Host) -> io::Result<Netns> {
        let file = match self.path() {
            Err(number) => host.open_network_namespace(number).ok_or(io::ErrorKind::NotFound)?,
            Ok(path) => self.open_file(&path)?,
        };
        Netns::of(&host.procfs, file)
    }

    /// Opens the namespace's file. The error does not disclose to the caller of sudo whether a file exists that is not
    /// a namespace.
    fn open_file(&self, path: &Path) -> io::Result<OwnedFd> {
        let is_shown = !(matches!(self, Self::Path(_)) && Caller::is_behind_sudo());
        open(path).map_err(|error| if is_shown { error } else { no_namespace(path) })
    }

    /// The path of the file, or else the inode number.
    fn path(&self) -> Result<PathBuf, u32> {
        match self {
            Self::Inode(inode) => Err(*inode),
            Self::Pid(pid) => Ok(PathBuf::from(format!("/proc/{pid}/ns/net"))),
            Self::Path(path) => Ok(path.clone()),
            Self::Name(name) => Ok(Path::new("/run/netns").join(name)),
        }
    }
}

/// Opens the file of a namespace. Other files get only an `O_PATH` descriptor: opening a device or a pipe can have side
/// effects or block, and the caller of sudo may have chosen the path.
fn open(path: &Path) -> io::Result<OwnedFd> {
    let found = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    if rustix::fs::fstatfs(&found)?.f_type != NSFS_MAGIC {
        return Err(no_namespace(path));
    }
    let again = format!("/proc/self/fd/{}", found.as_raw_fd());
    let file = rustix::fs::open(again, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    match namespace_kind(file.as_fd()) {
        Ok(CLONE_NEWNET) => Ok(file),
        _ => Err(no_namespace(path)),
    }
}

fn no_namespace(path: &Path) -> io::Error {
    let text = format!("{} is not a network namespace", crate::escape::path(path));
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

fn inode(file: &OwnedFd) -> io::Result<u32> {
    u32::try_from(rustix::fs::fstat(file)?.st_ino).map_err(io::Error::other)
}

impl FromStr for NetnsRef {
    type Err = ValueError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let wrong = || ValueError::Netns(word.to_owned());
        let number = |word: &str| digits(word).filter(|number| *number > 0).ok_or_else(wrong);
        let link = word.strip_prefix("net:[").and_then(|rest| rest.strip_suffix(']'));
        if let Some(inode) = link {
            number(inode).map(Self::Inode)
        } else if let Some(pid) = word.strip_prefix("pid:") {
            number(pid).map(Self::Pid)
        } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
            number(word).map(Self::Inode)
        } else if word.contains('\0') || matches!(word, "." | "..") {
            Err(wrong())
        } else if word.contains('/') {
            Ok(Self::Path(PathBuf::from(word)))
        } else {
            Ok(Self::Name(word.to_owned()))
        }
    }
}
