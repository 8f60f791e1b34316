//! The client side of the helper.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::question::{ANSWER, Question, branch};
use crate::event::Process;
use crate::host::helper::{Helper, receive, send};
use crate::host::procfs::Procfs;

/// The longest wait for an answer, longer than the helper's own limit.
const PATIENCE: Duration = Duration::from_millis(500);

/// The connection to the helper that reads work trees. Once the helper fails to answer, it is not asked again.
#[derive(Clone, Debug, Default)]
pub struct WorkTrees {
    helper: Arc<Mutex<Option<Helper>>>,
}

impl WorkTrees {
    /// Starts the helper: `command` must run [`serve`](super::server::serve) on its standard input.
    ///
    /// # Errors
    /// If the command cannot be started.
    pub fn start(command: Command) -> io::Result<Self> {
        Ok(Self { helper: Arc::new(Mutex::new(Some(Helper::start(command, PATIENCE)?))) })
    }

    /// The branch of the work tree in which a process runs; `None` if that is unknown.
    #[must_use]
    pub fn branch(&self, procfs: &Procfs, process: &Process) -> Option<String> {
        let mut helper = self.helper.lock().unwrap_or_else(PoisonError::into_inner);
        let link = helper.as_ref()?.link()?;
        let folder = process.cwd.as_deref()?.as_bytes();
        let question = Question { uid: process.uid?, gid: process.gid?, folder };
        let root = root(procfs, process.pid)?;
        let bytes = question.to_bytes()?;
        let answered = exchange(link, &bytes, root.as_fd());
        if answered.is_none() {
            // A late answer would be taken for the answer to the next question.
            *helper = None;
        }
        branch(&answered?)
    }
}

/// The root of a process.
fn root(procfs: &Procfs, pid: u32) -> Option<OwnedFd> {
    let path = procfs.root().join(format!("{pid}/root"));
    openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
}

fn exchange(link: BorrowedFd<'_>, question: &[u8], root: BorrowedFd<'_>) -> Option<[u8; ANSWER]> {
    send(link, question, Some(root)).ok()?;
    receive(link).ok()??.0.ok()
}
