//! Namespaces and the interfaces in them.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::net::netdevice::index_to_name;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
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

    /// Whether the capabilities of this process count against the kernel; `None` without `/proc`.
    #[must_use]
    pub fn in_initial_user_namespace(&self) -> Option<bool> {
        Some(self.own_namespace("user")? == FIRST_USER)
    }
}

/// A network namespace that can be looked into.
#[derive(Debug)]
pub struct Netns {
    inode: u32,
    /// None of this process' own, which needs no entering, and so no privilege.
    file: Option<OwnedFd>,
}

impl Netns {
    /// The one that this process is in.
    ///
    /// # Errors
    /// If `/proc` does not tell it.
    pub fn own(procfs: &Procfs) -> io::Result<Self> {
        let inode = procfs.own_network_namespace().ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { inode, file: None })
    }

    /// The one of an open file, as `/proc/PID/ns/net` is one.
    ///
    /// # Errors
    /// If the file cannot be looked at.
    pub fn of(procfs: &Procfs, file: OwnedFd) -> io::Result<Self> {
        let inode = rustix::fs::fstat(&file)?.st_ino;
        let inode = u32::try_from(inode).map_err(io::Error::other)?;
        let is_own = procfs.own_network_namespace() == Some(inode);
        Ok(Self { inode, file: (!is_own).then_some(file) })
    }

    /// The one that a process is in.
    ///
    /// # Errors
    /// If the process has gone, or may not be looked at.
    pub fn of_process(procfs: &Procfs, pid: u32) -> io::Result<Self> {
        Self::of(procfs, File::open(procfs.root().join(format!("{pid}/ns/net")))?.into())
    }

    /// Its inode number.
    #[must_use]
    pub const fn inode(&self) -> u32 {
        self.inode
    }

    /// Its file; none of this process' own, which needs no entering.
    #[must_use]
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(OwnedFd::as_fd)
    }

    /// It is the one that this process is in.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        self.file.is_none()
    }

    /// Does something inside of it, as [`inside`] does.
    ///
    /// # Errors
    /// If it may not be entered.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        match &self.file {
            None => Ok(work()),
            Some(file) => inside(file.as_fd(), work),
        }
    }
}

/// Does something inside a network namespace, on a thread that ends with it: this one stays where it is.
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

/// Names of the interfaces in the network namespace of this process.
///
/// Asked of the kernel (dev_ifname in net/core/dev_ioctl.c) rather than of `/sys/class/net`, which
/// shows the namespace of whoever mounted it.
#[derive(Debug)]
pub struct Interfaces {
    netns: Option<u32>,
    socket: Option<OwnedFd>,
}

impl Interfaces {
    /// Remembers the namespace this process is in.
    #[must_use]
    pub fn new(procfs: &Procfs) -> Self {
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok();
        Self { netns: procfs.own_network_namespace(), socket }
    }

    /// The name of an interface now; `None` in every other namespace, where the same index is another
    /// interface.
    #[must_use]
    pub fn name(&self, netns: u32, index: u32) -> Option<String> {
        if index == 0 || self.netns != Some(netns) {
            return None;
        }
        index_to_name(self.socket.as_ref()?, index).ok()
    }
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

    #[test]
    fn names_interfaces_of_this_namespace_only() {
        let procfs = Procfs::new();
        let interfaces = Interfaces::new(&procfs);
        let netns = procfs.own_network_namespace().unwrap();
        // The loopback interface has index 1 in each namespace (loopback_net_init).
        assert_eq!(interfaces.name(netns, 1).as_deref(), Some("lo"));
        assert_eq!(interfaces.name(netns, 0), None);
        assert_eq!(interfaces.name(netns, u32::MAX), None);
        assert_eq!(interfaces.name(netns ^ 1, 1), None);
    }
}
