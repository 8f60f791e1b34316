//! The client side of the broker.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;

use super::question::{ANSWER, Liveness, Question};
use crate::host::helper::Helper;

/// The longest wait for an answer. The slowest answer waits for the kernel to load the module of a protocol.
const PATIENCE: Duration = Duration::from_secs(1);
/// The highest error number (MAX_ERRNO, include/linux/err.h).
const LAST_ERRNO: i32 = 4095;

/// The connection to a broker. Once the broker fails to answer in time, it is not asked again: from then on, nothing is
/// known of other network namespaces.
#[derive(Debug)]
pub struct Broker {
    helper: Mutex<Option<Helper>>,
}

impl Broker {
    /// Starts a broker: `command` must run [`serve`](super::server::serve) on its standard input.
    ///
    /// # Errors
    /// If the command cannot be started.
    pub fn start(command: Command) -> io::Result<Self> {
        Ok(Self { helper: Mutex::new(Some(Helper::start(command, PATIENCE)?)) })
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
        let mut helper = self.helper.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = helper.as_ref().ok_or(Errno::PIPE)?.ask::<ANSWER>(&bytes, with);
        let Ok((answer, descriptor)) = asked else {
            *helper = None;
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
