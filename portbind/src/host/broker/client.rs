//! The client side of the broker.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::link::{ANSWER, receive, send};
use super::question::{Liveness, QUESTION, Question};

/// The longest wait for an answer. The slowest answer waits for the kernel to load the module of a protocol.
const PATIENCE: Duration = Duration::from_secs(1);
/// The highest error number (MAX_ERRNO, include/linux/err.h).
const LAST_ERRNO: i32 = 4095;
/// The longest wait for the broker to end.
const END: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// The connection to a broker. Once the broker fails to answer in time, it is not asked again: from then on, nothing is
/// known of other network namespaces.
#[derive(Debug)]
pub struct Broker {
    link: Mutex<Option<OwnedFd>>,
    process: Child,
    ended: OwnedFd,
}

impl Broker {
    /// Starts a broker: `command` must run [`serve`](super::server::serve) on its standard input.
    ///
    /// # Errors
    /// If the command cannot be started.
    pub fn start(mut command: Command) -> io::Result<Self> {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        for direction in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&ours, direction, Some(PATIENCE))?;
        }
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn()?;
        let ended = pidfd_open(Pid::from_child(&process), PidfdFlags::empty())?;
        Ok(Self { link: Mutex::new(Some(ours)), process, ended })
    }

    /// Asks for a descriptor.
    ///
    /// # Errors
    /// The error that the broker got from the kernel; EPIPE if the broker does not answer.
    pub fn descriptor(&self, question: Question<'_>, with: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
        self.ask(question, with)?.1.ok_or(Errno::BADMSG)
    }

    /// Asks whether a socket is bound to a socket file.
    #[must_use]
    pub fn liveness(&self, file: BorrowedFd<'_>) -> Liveness {
        let answer = self.ask(Question::Liveness, file);
        answer.ok().and_then(|(number, _)| Liveness::of_number(number)).unwrap_or(Liveness::Unknown)
    }

    fn ask(&self, question: Question<'_>, with: BorrowedFd<'_>) -> Result<(u8, Option<OwnedFd>), Errno> {
        let bytes = question.to_bytes()?;
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        let open = link.as_ref().ok_or(Errno::PIPE)?;
        let Ok((answer, descriptor)) = exchange(open.as_fd(), &bytes, with) else {
            // A late answer would be taken for the answer to the next question.
            *link = None;
            return Err(Errno::PIPE);
        };
        let (error, value) = answer.split_first_chunk().ok_or(Errno::BADMSG)?;
        match i32::from_ne_bytes(*error) {
            0 => Ok((value.first().copied().unwrap_or_default(), descriptor)),
            error @ 1..=LAST_ERRNO => Err(Errno::from_raw_os_error(error)),
            _ => Err(Errno::BADMSG),
        }
    }
}

fn exchange(
    link: BorrowedFd<'_>,
    question: &[u8; QUESTION],
    with: BorrowedFd<'_>,
) -> Result<([u8; ANSWER], Option<OwnedFd>), Errno> {
    send(link, question, Some(with))?;
    let (answer, descriptor) = receive(link)?.ok_or(Errno::PIPE)?;
    Ok((answer?, descriptor))
}

impl Drop for Broker {
    /// Lets the broker end: the broker ends when the other end of its connection is closed.
    fn drop(&mut self) {
        *self.link.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        let mut wait = [PollFd::new(&self.ended, PollFlags::IN)];
        if poll(&mut wait, Some(&END)).is_ok_and(|ready| ready > 0) {
            // The broker is a child of this process: the wait fails only if an ignored SIGCHLD was inherited.
            let _status = self.process.try_wait();
        }
    }
}
