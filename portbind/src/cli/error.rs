//! Errors that reach the user, each with a hint, and the exit statuses. The file, user and program names in error
//! messages are escaped.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::escape;
use crate::host::privileges::{few_descriptors, few_descriptors_hint};
use crate::host::{Failed, UnknownUser};
use crate::kernel::error::TraceError;
use crate::sys::stack::TooSmall;
use crate::writer::refused::Refused;
use crate::{ports, recording, session, wrapped};

/// The exit statuses of portbind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Everything went as asked; a signal, a limit or a closed pipe ended the trace.
    Success,
    /// The answer is no: the port is not free, no socket holds it, or something new was found.
    Negative,
    /// The command line, or a value on it, is wrong.
    Usage,
    /// A capability is missing.
    Permission,
    /// This kernel lacks what is needed.
    Unsupported,
    /// Any other failure.
    Failure,
    /// The status of the wrapped command, or the timeout(1) status if the command has none.
    Wrapped(u8),
}

/// The timeout(1) status for a failure of the wrapper itself.
pub const WRAPPER_FAILED: u8 = 125;

impl ExitStatus {
    /// The numeric status, which is part of the interface.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Negative => 1,
            Self::Usage => 2,
            Self::Permission => 3,
            Self::Unsupported => 4,
            Self::Failure => 5,
            Self::Wrapped(status) => status,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Capabilities are missing.
    #[error("tracing needs {}, which this process lacks", .0.join(" and "))]
    Privileges(Vec<&'static str>),
    /// The kernel half does not run here.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A word on the command line refers to something that does not exist.
    #[error("{word}: {source}")]
    Word {
        /// The word.
        word: String,
        /// The reason.
        source: io::Error,
    },
    /// The file of `--output` cannot be opened.
    #[error("cannot open {} for writing: {source}", escape::path(.path))]
    Output {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A recording cannot be read.
    #[error(transparent)]
    Recording(#[from] recording::Error),
    /// A log cannot be read.
    #[error("cannot read {}: {source}", escape::path(.path))]
    Log {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Output can no longer be written.
    #[error("cannot write events: {0}")]
    Write(#[source] io::Error),
    /// A question about ports cannot be answered.
    #[error(transparent)]
    Ports(#[from] ports::Error),
    /// The operation needs a confirmation, and standard input is not a terminal.
    #[error("stopping processes and removing files takes a yes, and standard input is no terminal")]
    Unconfirmed,
    /// An unknown user.
    #[error(transparent)]
    User(#[from] UnknownUser),
    /// The command cannot be run.
    #[error(transparent)]
    Command(#[from] wrapped::CommandError),
    /// The kernel numbers processes differently from this process's PID namespace, so descendants cannot be identified.
    #[error("this is a container with pids of its own: the command and its descendants cannot be followed")]
    PidNamespace,
    /// /proc is missing.
    #[error("/proc is not mounted, or is that of another pid namespace")]
    NoProc,
    /// The stack limit is too low and cannot be raised.
    #[error(transparent)]
    Stack(#[from] TooSmall),
    /// Why a command could not be wrapped.
    #[error(transparent)]
    Wrapper(Box<Self>),
    /// A system call or the async runtime failed.
    #[error(transparent)]
    System(#[from] Failed),
}

impl From<session::Error> for Error {
    fn from(error: session::Error) -> Self {
        match error {
            session::Error::Privileges(missing) => Self::Privileges(missing),
            // Of the builder, which the verbs do not use.
            error @ session::Error::EmptyFilter(_) => {
                Self::Word { word: "filters".to_owned(), source: io::Error::other(error) }
            }
            session::Error::Trace(error) => Self::Trace(error),
            session::Error::Write(source) => Self::Write(source),
            session::Error::System { doing, source } => Self::System(Failed { doing, source }),
        }
    }
}

impl From<wrapped::Error> for Error {
    fn from(error: wrapped::Error) -> Self {
        match error {
            wrapped::Error::Command(error) => error.into(),
            wrapped::Error::Failed(failed) => failed.into(),
        }
    }
}

/// Marks an error as one of the wrapper. Only a failure to execute the command keeps its own status.
pub(super) fn of_wrapped(error: Error) -> Error {
    match error {
        Error::Command(_) => error,
        other => Error::Wrapper(Box::new(other)),
    }
}

impl Error {
    /// The exit status for this error.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Privileges(_) => ExitStatus::Permission,
            Self::Ports(error) if error.is_permission() => ExitStatus::Permission,
            Self::Ports(ports::Error::Sockets(_)) => ExitStatus::Unsupported,
            Self::Trace(_) if few_descriptors().is_some() => ExitStatus::Failure,
            Self::Trace(_) | Self::PidNamespace | Self::NoProc => ExitStatus::Unsupported,
            Self::Word { .. }
            | Self::Output { .. }
            | Self::User(_)
            | Self::Unconfirmed
            | Self::Recording(_)
            | Self::Log { .. } => ExitStatus::Usage,
            Self::Write(_) | Self::System(_) | Self::Ports(_) | Self::Stack(_) => ExitStatus::Failure,
            Self::Command(error) if error.source.kind() == io::ErrorKind::NotFound => {
                ExitStatus::Wrapped(127)
            }
            Self::Command(_) => ExitStatus::Wrapped(126),
            Self::Wrapper(_) => ExitStatus::Wrapped(WRAPPER_FAILED),
        }
    }

    /// What the user can do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Privileges(_) => Some("run it as root: sudo portbind ..."),
            Self::Ports(error) => error.hint(),
            Self::Trace(error) => Some(error.hint()),
            Self::System(_) => few_descriptors_hint(),
            Self::Word { .. } => Some("portbind COMMAND --help lists the values that the option takes"),
            Self::Output { source, .. } => {
                let refused = source.get_ref().and_then(|inner| inner.downcast_ref::<Refused>());
                Some(refused.map_or(
                    "name a file in a directory that you may write to; under sudo, the rights of its caller count",
                    Refused::hint,
                ))
            }
            Self::Recording(_) => {
                Some("name a recording, made with portbind trace -o json --output FILE; - is standard input")
            }
            Self::Log { .. } => Some("name a file that you may read; - is standard input"),
            Self::Write(_) => Some("is there room left on the device?"),
            Self::Unconfirmed => Some("--yes does it without asking; --dry-run only shows what it would do"),
            Self::User(_) => Some("name a user of /etc/passwd, or its number"),
            Self::PidNamespace => {
                Some("start the container with the pids of the host: docker run --pid=host ...")
            }
            Self::NoProc => {
                Some("mount it: mount -t proc proc /proc; a container needs a /proc of its own pid namespace")
            }
            Self::Stack(_) => Some("raise the limit with ulimit -s 8192"),
            Self::Wrapper(error) => error.hint(),
            Self::Command(_) => None,
        }
    }
}
