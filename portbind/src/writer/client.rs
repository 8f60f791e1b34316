//! The client in the main process: sends requests to the helper, and does not trust the answers.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::cmsg_space;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags, SocketType,
    recvmsg, send, socketpair,
};
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use super::agent;
use super::caller::Caller;
use super::message::{MAX_PACKET, MAX_PART, Request, Response, VERB};
use super::received::{self, Expected};
use super::refused::Refused;
use super::replacement::{Replacement, own_output};
use crate::host::Failed;
use crate::host::confinement::Errand;
use crate::host::invoker::{self, Environment};
use crate::host::reexec::reexec;

/// How long the helper may take: it waits up to 5 s for the reader of a pipe.
const PATIENCE: Duration = Duration::from_secs(15);
/// Interval at which portbind checks, while it waits for an answer, whether the helper was stopped.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
/// How long portbind waits for the helper to end.
const END: Duration = Duration::from_secs(1);

/// The helper process and its socket.
///
/// The helper depends on this process only for what it receives at its start, and a request needs no privileges here:
/// only sendmsg(2), recvmsg(2), fcntl(2), fstat(2) and fstatfs(2).
#[derive(Debug)]
pub(crate) struct Writer {
    socket: OwnedFd,
    process: Option<Child>,
    /// Whether the helper has reported that it has taken the rights of the caller.
    is_greeted: bool,
    /// The time limit for an answer.
    patience: Duration,
    /// Whether the helper has failed; it receives no more requests then.
    is_broken: bool,
}

/// The result of passing a page to the Buildkite agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Annotated {
    /// The agent is not installed.
    Absent,
    /// The agent has ended.
    Ended(ExitStatus),
    /// The agent took too long.
    Late,
}

impl Writer {
    /// Starts the helper. Only its first answer confirms that it has taken the rights of the caller.
    ///
    /// # Errors
    /// If the helper cannot be started.
    pub(crate) fn start(caller: &Caller, errand: Errand) -> Result<Self, Failed> {
        let start = || -> io::Result<Self> {
            let (ours, theirs) =
                socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
            let mut command = reexec(VERB);
            caller.put_on(&mut command);
            command.args((errand == Errand::Program).then_some("--agent"));
            // A separate process group: Ctrl-C is meant for the command.
            let command = command.stdin(theirs).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
            let mut writer = Self::over(ours)?;
            writer.process = Some(command.spawn()?);
            Ok(writer)
        };
        start().map_err(Failed::at("cannot start the helper that opens files"))
    }

    fn over(socket: OwnedFd) -> io::Result<Self> {
        set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE))?;
        Ok(Self { socket, process: None, is_greeted: false, patience: PATIENCE, is_broken: false })
    }

    /// Opens a file to append to, and creates it if it does not exist. The file may also be a pipe, a terminal or
    /// /dev/null.
    ///
    /// # Errors
    /// The errors of openat(2) with the caller's rights; errors of this module contain a [`Refused`].
    pub(crate) fn append(&mut self, path: &Path) -> io::Result<File> {
        if let Some(own) = own_output(path)? {
            return Ok(own);
        }
        let (_, file) = self.open(&Request::Append(path.to_owned()), Expected::Stream, true)?;
        Ok(file)
    }

    /// Opens an existing regular file to append to; a symbolic link is refused.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub(crate) fn append_existing(&mut self, path: &Path) -> io::Result<File> {
        let (_, file) = self.open(&Request::AppendExisting(path.to_owned()), Expected::Regular, true)?;
        Ok(file)
    }

    /// Creates a file that all users may read; the file must not exist.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub(crate) fn create(&mut self, path: &Path) -> io::Result<File> {
        let (_, file) = self.open(&Request::Create(path.to_owned()), Expected::Regular, true)?;
        Ok(file)
    }

    /// Creates a file that replaces another one with [`Self::finish`].
    ///
    /// # Errors
    /// As for [`Self::append`]; includes every error that can be detected in advance.
    pub(crate) fn replace(&mut self, path: &Path) -> io::Result<Replacement> {
        if let Some(file) = own_output(path)? {
            return Ok(Replacement::output(file));
        }
        match self.open(&Request::Replace(path.to_owned()), Expected::Stream, false)? {
            (Response::Temporary(number), file) => Ok(Replacement::of_helper(file, number)),
            (_, file) => Replacement::in_place(file),
        }
    }

    /// Writes the new file, and renames it only when it is complete.
    ///
    /// # Errors
    /// The errors of `write` and of renameat(2). The earlier file still exists then, if it could be replaced rather
    /// than overwritten.
    pub(crate) fn finish(
        &mut self,
        replacement: Replacement,
        write: impl FnOnce(&File) -> io::Result<()>,
    ) -> io::Result<()> {
        replacement.write_and(write, |number| self.done(&Request::Finish(number)))
    }

    /// Restricts the helper to the files opened so far, and to the file at the path `later`.
    ///
    /// # Errors
    /// The errors of the kernel; a kernel without Landlock is not an error.
    pub(crate) fn seal(&mut self, later: Option<&Path>) -> io::Result<()> {
        self.done(&Request::Seal(later.map(Path::to_owned)))
    }

    /// Passes a page to the Buildkite agent, in the environment of the caller.
    ///
    /// # Errors
    /// The errors of starting the agent.
    pub(crate) fn annotate(&mut self, environment: &Environment, page: &str) -> io::Result<Annotated> {
        self.send_parts(&invoker::packed(environment))?;
        self.done(&Request::Environment)?;
        self.send_parts(page.as_bytes())?;
        self.patience = PATIENCE + agent::PATIENCE;
        let answer = self.ask(&Request::Annotate);
        self.patience = PATIENCE;
        match answer?.0 {
            Response::Absent => Ok(Annotated::Absent),
            Response::Ended(status) => Ok(Annotated::Ended(ExitStatus::from_raw(status))),
            Response::Late => Ok(Annotated::Late),
            _ => Err(self.breaks(Refused::Nonsense)),
        }
    }

    fn open(&mut self, request: &Request, expected: Expected, appends: bool) -> io::Result<(Response, File)> {
        match self.ask(request)? {
            (response @ (Response::File | Response::Temporary(_)), Some(descriptor)) => {
                Ok((response, received::take(descriptor, expected, appends)?))
            }
            _ => Err(self.breaks(Refused::Nonsense)),
        }
    }

    fn done(&mut self, request: &Request) -> io::Result<()> {
        match self.ask(request)?.0 {
            Response::Done => Ok(()),
            _ => Err(self.breaks(Refused::Nonsense)),
        }
    }

    fn send_parts(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes.chunks(MAX_PART).try_for_each(|part| self.send(&Request::Part(part.to_vec())))
    }

    fn ask(&mut self, request: &Request) -> io::Result<(Response, Option<OwnedFd>)> {
        self.send(request)?;
        if !self.is_greeted {
            self.receive()?;
            self.is_greeted = true;
        }
        self.receive()
    }

    fn send(&mut self, request: &Request) -> io::Result<()> {
        if self.is_broken {
            return Err(io::Error::other(Refused::Gone));
        }
        let packet = request.encode();
        if packet.len() > MAX_PACKET {
            return Err(Errno::NAMETOOLONG.into());
        }
        // After the helper has ended, its last answer can still be read: why it could not start.
        match send(&self.socket, &packet, SendFlags::NOSIGNAL) {
            Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => Ok(()),
            Err(Errno::AGAIN) => Err(self.breaks(Refused::Silent)),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for an answer, or for the end of the helper. The caller can stop the helper, which runs with the caller's
    /// user id; portbind does not wait for a stopped helper.
    fn await_answer(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + self.patience;
        let mut was_stopped = false;
        loop {
            match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&LOOK)) {
                Ok(0) => {}
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let is_stopped = self.is_stopped();
            if is_stopped && was_stopped {
                return Err(self.breaks(Refused::Stopped));
            }
            if Instant::now() >= deadline {
                return Err(self.breaks(Refused::Silent));
            }
            was_stopped = is_stopped;
        }
    }

    fn is_stopped(&self) -> bool {
        let Some(process) = &self.process else { return false };
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(Pid::from_child(process)), options), Ok(Some(status)) if status.stopped())
    }

    /// The next answer and its descriptor; a failure reported by the helper becomes an error.
    fn receive(&mut self) -> io::Result<(Response, Option<OwnedFd>)> {
        let mut packet = vec![0; MAX_PACKET];
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let mut attached = RecvAncillaryBuffer::new(&mut space);
        self.await_answer()?;
        let received = loop {
            let into = &mut [IoSliceMut::new(&mut packet)];
            match recvmsg(&self.socket, into, &mut attached, RecvFlags::CMSG_CLOEXEC) {
                Err(Errno::INTR) => {}
                Err(Errno::CONNRESET) => return Err(self.breaks(Refused::Gone)),
                other => break other?,
            }
        };
        let descriptor = attached.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        let packet = packet.get(..received.bytes).filter(|packet| !packet.is_empty());
        let packet = packet.ok_or_else(|| self.breaks(Refused::Gone))?;
        match Response::decode(packet).ok_or_else(|| self.breaks(Refused::Nonsense))? {
            Response::Failed(number) => Err(io::Error::from_raw_os_error(number)),
            Response::Refused(reason) => Err(io::Error::other(reason)),
            response => Ok((response, descriptor)),
        }
    }

    fn breaks(&mut self, reason: Refused) -> io::Error {
        self.is_broken = true;
        io::Error::other(reason)
    }
}

impl Drop for Writer {
    /// Ends the helper, which removes incomplete files. Does not wait for a stopped helper.
    fn drop(&mut self) {
        // The call fails if the helper has ended.
        let _closed = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        let Some(process) = &mut self.process else { return };
        let ended = pidfd_open(Pid::from_child(process), PidfdFlags::empty()).and_then(|pidfd| {
            let patience = Timespec::try_from(END).map_err(|_| Errno::INVAL)?;
            poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&patience))
        });
        if ended.is_ok() {
            let _status = process.try_wait();
        }
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
