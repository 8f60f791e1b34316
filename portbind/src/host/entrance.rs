//! Access to other network namespaces, to files below the roots of other processes, and to socket files of other users.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;

use super::broker::{Broker, Liveness, PathQuestion, Question, Setting, SocketKind};
use super::netns::inside;

/// How this process gets access to other namespaces, roots and socket files.
#[derive(Clone, Debug, Default)]
pub enum Entrance {
    /// Directly, with the rights of this process.
    #[default]
    Own,
    /// Through the broker, a helper process that keeps the rights.
    Broker(Arc<Broker>),
    /// No access.
    Closed,
}

impl Entrance {
    /// A socket in a network namespace; in this process's own if `namespace` is `None`.
    ///
    /// # Errors
    /// If the namespace cannot be entered, and the errors of socket(2).
    pub fn socket(&self, namespace: Option<BorrowedFd<'_>>, kind: SocketKind) -> io::Result<OwnedFd> {
        match namespace {
            None => Ok(kind.open()?),
            Some(namespace) => self.from(namespace, Question::Socket(kind), || kind.open()),
        }
    }

    /// The open file of a network namespace's setting; of this process's own namespace if `namespace` is `None`.
    ///
    /// # Errors
    /// If the namespace cannot be entered, and the errors of openat(2).
    pub fn setting(&self, namespace: Option<BorrowedFd<'_>>, setting: Setting) -> io::Result<OwnedFd> {
        match namespace {
            None => Ok(setting.open()?),
            Some(namespace) => self.from(namespace, Question::Setting(setting), || setting.open()),
        }
    }

    fn from(
        &self,
        namespace: BorrowedFd<'_>,
        question: Question<'_>,
        work: impl FnOnce() -> Result<OwnedFd, Errno> + Send,
    ) -> io::Result<OwnedFd> {
        match self {
            Self::Own => Ok(inside(namespace, work)??),
            Self::Broker(broker) => Ok(broker.descriptor(question, namespace)?),
            Self::Closed => Err(Errno::PERM.into()),
        }
    }

    /// The file at a path, opened with O_PATH.
    ///
    /// # Errors
    /// The errors of [`PathQuestion::open`].
    pub fn path(&self, folder: BorrowedFd<'_>, look: PathQuestion<'_>) -> Result<OwnedFd, Errno> {
        match self {
            Self::Own => look.open(folder),
            Self::Broker(broker) => broker.descriptor(Question::Path(look), folder),
            Self::Closed => Err(Errno::PERM),
        }
    }

    /// Whether a socket is bound to a socket file.
    #[must_use]
    pub fn liveness(&self, file: BorrowedFd<'_>) -> Liveness {
        match self {
            Self::Own => Liveness::of(file),
            Self::Broker(broker) => broker.liveness(file),
            Self::Closed => Liveness::Unknown,
        }
    }
}
