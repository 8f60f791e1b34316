//! The client side of the helper.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::question::{ANSWER, Question, branch};
use crate::event::Process;
use crate::host::helper::Helper;
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
        let open = helper.as_ref()?;
        let folder = process.cwd.as_deref()?.as_bytes();
        let question = Question { uid: process.uid?, gid: process.gid?, folder };
        let root = root(procfs, process.pid)?;
        let bytes = question.to_bytes()?;
        let Ok((answer, _)) = open.ask::<ANSWER>(&bytes, root.as_fd()) else {
            *helper = None;
            return None;
        };
        branch(&answer)
    }
}

/// The root of a process.
fn root(procfs: &Procfs, pid: u32) -> Option<OwnedFd> {
    let path = procfs.root().join(format!("{pid}/root"));
    openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
}
