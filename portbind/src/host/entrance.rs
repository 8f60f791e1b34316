//! How this process looks to where it may not go by itself: into other network namespaces, below the roots of other
//! processes, at socket files of others.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;

use super::broker::{Broker, Liveness, PathQuestion, Question, Setting, SocketKind};
use super::netns::inside;

/// By itself, or by a helper process that keeps the rights for it.
#[derive(Clone, Debug, Default)]
pub enum Entrance {
    /// By itself, with what rights it has.
    #[default]
    Own,
    /// By asking the broker.
    Broker(Arc<Broker>),
    /// Not at all.
    Closed,
}

impl Entrance {
    /// A socket of a network namespace; of this process' own, where none is given.
    ///
    /// # Errors
    /// If the namespace cannot be entered, and those of socket(2).
    pub fn socket(&self, namespace: Option<BorrowedFd<'_>>, kind: SocketKind) -> io::Result<OwnedFd> {
        match namespace {
            None => Ok(kind.open()?),
            Some(namespace) => self.from(namespace, Question::Socket(kind), || kind.open()),
        }
    }

    /// The open file of a setting of a network namespace; of this process' own, where none is given.
    ///
    /// # Errors
    /// If the namespace cannot be entered, and those of openat(2).
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

    /// What is at a path, opened with O_PATH.
    ///
    /// # Errors
    /// Those of [`PathQuestion::open`].
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
