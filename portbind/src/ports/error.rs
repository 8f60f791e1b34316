//! Why a question about ports cannot be answered.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::escape;

/// Why a question about ports cannot be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A network namespace cannot be entered, or no longer exists.
    #[error("cannot look into the network namespace: {0}")]
    Netns(#[source] io::Error),
    /// The kernel does not list its sockets.
    #[error("the kernel does not list its sockets: {0}")]
    Sockets(#[source] io::Error),
    /// A socket on the port has no visible process, and portbind may not inspect this many processes.
    #[error("a socket on the port belongs to {}, or is in flight between processes", hidden(*.0))]
    Hidden(usize),
    /// A stale socket file cannot be removed.
    #[error("cannot remove {}: {source}", escape::path(.path))]
    Remove {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A symbolic link in the path of a socket file belongs to a user who does not own the folder to which it leads.
    #[error("a symbolic link of uid {uid} leads to the folder of {}, which is not that user's", escape::path(.path))]
    Led {
        /// The path.
        path: PathBuf,
        /// Owner of the link.
        uid: u32,
    },
    /// An interrupted removal left its socket file under the name to which this removal would move its own.
    #[error("{} is in the way: an earlier removal was broken off, and moved it there", escape::path(.0))]
    Aside(PathBuf),
    /// The name to which the socket file would be moved is taken by a file that any user may have created.
    #[error("{} is in the way: something else has the name that portbind needs", escape::path(.0))]
    NameTaken(PathBuf),
}

impl Error {
    /// What the user can do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Hidden(_) if rustix::process::geteuid().is_root() => {
                "this root may not inspect every process, as in a container: run it on the host"
            }
            Self::Netns(_) | Self::Hidden(_) => "run it as root: sudo portbind ...",
            Self::Sockets(_) => "load the modules that list them: modprobe inet_diag tcp_diag udp_diag",
            Self::Led { .. } => "name the file by its path without symbolic links",
            Self::Aside(_) => {
                "portbind who shows whether a socket is bound to it: move it back by hand if one is, else remove it"
            }
            Self::NameTaken(_) => {
                "ls -ld shows whose it is: move it to a name that nobody uses, or remove it if nobody needs it"
            }
            Self::Remove { source, .. } if source.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                "this file system cannot rename without replacing (RENAME_NOREPLACE): remove the file by hand"
            }
            Self::Remove { .. } => return None,
        })
    }

    /// Whether a privilege is missing.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        match self {
            Self::Netns(_) | Self::Hidden(_) | Self::Led { .. } => true,
            Self::Remove { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
            Self::Sockets(_) | Self::Aside(_) | Self::NameTaken(_) => false,
        }
    }
}

fn hidden(processes: usize) -> String {
    match processes {
        1 => "a process that portbind may not inspect".to_owned(),
        many => format!("one of {many} processes that portbind may not inspect"),
    }
}
