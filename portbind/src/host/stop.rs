//! Stops processes by their pidfd, so that a process that reuses the pid is never hit.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::machine::Host;
use super::sockets::SocketOwners;

/// A process with sockets on a port, or the master of such processes, pinned by its pidfd.
#[derive(Debug)]
pub struct Held {
    pidfd: OwnedFd,
    pid: u32,
    inodes: Vec<u64>,
}

impl Host {
    /// Pins a process if it is still the one with this start and still has one of these sockets open; otherwise `None`.
    ///
    /// # Errors
    /// The errors of pidfd_open(2), except for a process that has ended.
    pub fn hold(&self, pid: u32, started: Option<Timestamp>, inodes: &[u64]) -> io::Result<Option<Held>> {
        let held = self.hold_any(pid, started, inodes)?;
        Ok(held.filter(|held| held.has_sockets(self)))
    }

    /// Pins a process that needs no socket, if it is still the one with this start.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub fn hold_master(&self, pid: u32, started: Option<Timestamp>) -> io::Result<Option<Held>> {
        self.hold_any(pid, started, &[])
    }

    fn hold_any(&self, pid: u32, started: Option<Timestamp>, inodes: &[u64]) -> io::Result<Option<Held>> {
        let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
        let pidfd = match pidfd_open(number, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let held = Held { pidfd, pid, inodes: inodes.to_vec() };
        // From here on, reads by this pid concern the pinned process, unless it has ended meanwhile.
        let is_same = self.start_boot_ns(pid).map(|start| self.clock.at(start)) == started;
        Ok((is_same && !held.has_ended(Duration::ZERO)).then_some(held))
    }
}

impl Held {
    /// Whether the process runs and has one of the sockets open.
    #[must_use]
    pub fn has_sockets(&self, host: &Host) -> bool {
        let sockets = SocketOwners::new(host.procfs.clone());
        let is_open = sockets.has_any(self.pid, &self.inodes);
        // Checked last: until the process has ended, its pid is not reused.
        is_open && !self.has_ended(Duration::ZERO)
    }

    /// Sends the process a signal; returns false if it has ended.
    ///
    /// # Errors
    /// The errors of pidfd_send_signal(2).
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        match pidfd_send_signal(&self.pidfd, signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for the end of the process; returns whether it has ended.
    #[must_use]
    pub fn has_ended(&self, patience: Duration) -> bool {
        let mut waited = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let patience = Timespec::try_from(patience).ok();
        matches!(poll(&mut waited, patience.as_ref()), Ok(count) if count > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn only_who_still_has_the_socket_is_held() {
        let host = Host::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let inode = std::fs::metadata(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap().ino();
        let pid = std::process::id();
        let started = host.describe(pid).unwrap().started;
        assert!(host.hold(pid, started, &[inode]).unwrap().is_some());
        assert!(host.hold(pid, started, &[u64::MAX]).unwrap().is_none());
        assert!(host.hold(pid, Some(Timestamp::UNIX_EPOCH), &[inode]).unwrap().is_none());
        assert!(
            host.hold(pid, started, &[]).unwrap().is_none()
                && host.hold_master(pid, started).unwrap().is_some()
        );
        assert!(host.hold_master(pid, Some(Timestamp::UNIX_EPOCH)).unwrap().is_none());
        assert!(host.hold(0, started, &[inode]).unwrap().is_none());
        assert!(host.hold(i32::MAX.unsigned_abs(), started, &[inode]).unwrap().is_none());
    }

    #[test]
    fn a_held_process_is_signalled() {
        let host = Host::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let inode = std::fs::metadata(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap().ino();
        let copy = Stdio::from(OwnedFd::from(listener.try_clone().unwrap()));
        let mut child = Command::new("sleep").arg("60").stdin(copy).spawn().unwrap();
        let started = host.describe(child.id()).unwrap().started;
        let held = host.hold(child.id(), started, &[inode]).unwrap().unwrap();
        assert!(!held.has_ended(Duration::ZERO));
        assert!(held.signal(Signal::TERM).unwrap());
        assert!(held.has_ended(Duration::from_secs(20)));
        child.wait().unwrap();
        assert!(!held.signal(Signal::TERM).unwrap() && !held.has_sockets(&host));
    }
}
