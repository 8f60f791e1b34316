//! Namespaces.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::procfs::Procfs;

/// Inode number of the first pid namespace (PROC_PID_INIT_INO in include/linux/proc_ns.h).
const FIRST_PID: u32 = 0xEFFF_FFFC;
/// Inode number of the first user namespace (PROC_USER_INIT_INO in include/linux/proc_ns.h).
const FIRST_USER: u32 = 0xEFFF_FFFD;

impl Procfs {
    /// Inode number of the network namespace of this process.
    #[must_use]
    pub fn own_network_namespace(&self) -> Option<u32> {
        self.own_namespace("net")
    }

    /// Inode number of the network namespace of a process.
    #[must_use]
    pub fn network_namespace_of(&self, pid: u32) -> Option<u32> {
        self.namespace_of(&pid.to_string(), "net")
    }

    /// Whether this process sees every process of the machine; `None` without `/proc`.
    #[must_use]
    pub fn in_initial_pid_namespace(&self) -> Option<bool> {
        Some(self.own_namespace("pid")? == FIRST_PID)
    }

    /// Whether the kernel's capability checks accept the capabilities of this process; `None` without `/proc`.
    #[must_use]
    pub fn in_initial_user_namespace(&self) -> Option<bool> {
        Some(self.own_namespace("user")? == FIRST_USER)
    }
}

/// A network namespace that can be entered.
#[derive(Debug)]
pub struct Netns {
    inode: u32,
    /// `None` for this process's own namespace, which needs no entering, and so no privilege.
    file: Option<OwnedFd>,
}

impl Netns {
    /// The namespace of this process.
    ///
    /// # Errors
    /// If `/proc` does not show the namespace.
    pub fn own(procfs: &Procfs) -> io::Result<Self> {
        let inode = procfs.own_network_namespace().ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { inode, file: None })
    }

    /// The namespace of an open file such as `/proc/PID/ns/net`.
    ///
    /// # Errors
    /// If the file's metadata cannot be read.
    pub fn of(procfs: &Procfs, file: OwnedFd) -> io::Result<Self> {
        let inode = rustix::fs::fstat(&file)?.st_ino;
        let inode = u32::try_from(inode).map_err(io::Error::other)?;
        let is_own = procfs.own_network_namespace() == Some(inode);
        Ok(Self { inode, file: (!is_own).then_some(file) })
    }

    /// The namespace of a process.
    ///
    /// # Errors
    /// If the process has ended, or its namespace may not be opened.
    pub fn of_process(procfs: &Procfs, pid: u32) -> io::Result<Self> {
        Self::of(procfs, File::open(procfs.root().join(format!("{pid}/ns/net")))?.into())
    }

    /// Inode number of the namespace.
    #[must_use]
    pub const fn inode(&self) -> u32 {
        self.inode
    }

    /// File of the namespace; `None` for this process's own, which needs no entering.
    #[must_use]
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(OwnedFd::as_fd)
    }

    /// Whether this is the namespace of this process.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        self.file.is_none()
    }

    /// Runs a function inside the namespace, like [`inside`].
    ///
    /// # Errors
    /// If the namespace may not be entered.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        match &self.file {
            None => Ok(work()),
            Some(file) => inside(file.as_fd(), work),
        }
    }
}

/// Runs a function inside a network namespace, on a thread that ends with the function; the current thread stays in its
/// namespace.
///
/// # Errors
/// If no thread can be started, or the namespace may not be entered.
pub fn inside<T: Send>(namespace: BorrowedFd<'_>, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let enter = || {
        move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?;
        Ok(work())
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, enter)?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the network namespace failed")))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn knows_the_first_namespaces() {
        let cases = [
            ("pid:[4026531836]", "user:[4026531837]", Some(true), Some(true)),
            ("pid:[4026532000]", "user:[4026532001]", Some(false), Some(false)),
            ("pid:[]", "net:[4026531837]", None, None),
        ];
        for (pid, user, in_pid, in_user) in cases {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("self/ns");
            fs::create_dir_all(&folder).unwrap();
            symlink(pid, folder.join("pid")).unwrap();
            symlink(user, folder.join("user")).unwrap();
            let procfs = Procfs::at(root.path());
            assert_eq!(procfs.in_initial_pid_namespace(), in_pid, "{pid}");
            assert_eq!(procfs.in_initial_user_namespace(), in_user, "{user}");
            assert_eq!(procfs.own_network_namespace(), None);
        }
    }

    #[test]
    fn a_namespace_is_entered_on_a_thread_of_its_own() {
        let procfs = Procfs::new();
        let (pid, netns) = (std::process::id(), procfs.own_network_namespace().unwrap());
        let (_, namespace) = crate::host::unix::namespace(&procfs, netns, pid).unwrap();
        if rustix::process::geteuid().is_root() {
            let work = || (rustix::thread::gettid(), procfs.namespace_of("thread-self", "net"));
            let (thread, found) = inside(namespace.as_fd(), work).unwrap();
            assert!(thread != rustix::thread::gettid());
            assert_eq!(found, Some(netns));
        }
    }
}
