//! A helper process: this same program, which answers questions on its standard input.

mod link;

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, geteuid, getppid, pidfd_open};

pub(super) use link::{receive, send};

/// The longest wait for a helper to end.
const END: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// A helper process, and the connection to it.
#[derive(Debug)]
pub(super) struct Helper {
    link: Option<OwnedFd>,
    process: Child,
    ended: OwnedFd,
}

impl Helper {
    /// Starts a helper, which finds its end of the connection on its standard input. `patience`: the longest wait for a
    /// packet.
    ///
    /// # Errors
    /// If the command cannot be started.
    pub(super) fn start(mut command: Command, patience: Duration) -> io::Result<Self> {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        for direction in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&ours, direction, Some(patience))?;
        }
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn()?;
        let ended = pidfd_open(Pid::from_child(&process), PidfdFlags::empty())?;
        Ok(Self { link: Some(ours), process, ended })
    }

    /// Asks a question, with a descriptor, and waits for an answer of exactly this length.
    ///
    /// # Errors
    /// The errors of the connection, and EPIPE at its end. The helper must not be asked again then: a late answer would
    /// be taken for the answer to the next question.
    pub(super) fn ask<const LEN: usize>(
        &self,
        question: &[u8],
        with: BorrowedFd<'_>,
    ) -> Result<([u8; LEN], Option<OwnedFd>), Errno> {
        let link = self.link.as_ref().ok_or(Errno::PIPE)?.as_fd();
        send(link, question, Some(with))?;
        let (answer, descriptor) = receive(link)?.ok_or(Errno::PIPE)?;
        Ok((answer?, descriptor))
    }
}

impl Drop for Helper {
    /// Lets the helper end: a helper ends when the other end of its connection is closed.
    fn drop(&mut self) {
        self.link = None;
        let mut wait = [PollFd::new(&self.ended, PollFlags::IN)];
        if poll(&mut wait, Some(&END)).is_ok_and(|ready| ready > 0) {
            // The helper is a child of this process: the wait fails only if an ignored SIGCHLD was inherited.
            let _status = self.process.try_wait();
        }
    }
}

/// Checks that the connection was made by this process's parent, under the same user id: a user who may run only this
/// program as root must not use the helper's rights for other questions.
///
/// # Errors
/// If another process or user made the connection, or the descriptor is no connection.
pub fn check_peer(link: BorrowedFd<'_>) -> io::Result<()> {
    let peer = socket_peercred(link)?;
    if Some(peer.pid) == getppid() && peer.uid == geteuid() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "the other end is not this process' parent"))
}
