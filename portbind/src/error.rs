//! Errors that reach the person, each with what to do next, and the status the process ends with.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::kernel::tracer::TraceError;

/// How portbind ends. The numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// All went as asked; tracing was stopped by a signal, a limit, or a closed pipe.
    Success = 0,
    /// Something failed that is none of the others.
    Failure = 1,
    /// The command line or a value on it is wrong.
    Usage = 2,
    /// A capability is missing.
    Permission = 3,
    /// This kernel cannot do what was asked.
    Unsupported = 4,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// What kept a verb from its job.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Capabilities are missing.
    #[error("tracing needs {}, which this process lacks", .0.join(" and "))]
    Privileges(Vec<&'static str>),
    /// The kernel half does not run here.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A word on the command line names something that is not there.
    #[error("{word}: {source}")]
    Word {
        /// The word.
        word: String,
        /// Why.
        source: io::Error,
    },
    /// The file of `--output` cannot be opened.
    #[error("cannot open {} for writing: {source}", .path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Events can no longer be written.
    #[error("cannot write events: {0}")]
    Write(#[source] io::Error),
    /// The runtime failed.
    #[error("{doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// The status the process ends with.
    #[must_use]
    pub const fn status(&self) -> ExitStatus {
        match self {
            Self::Privileges(_) => ExitStatus::Permission,
            Self::Trace(_) => ExitStatus::Unsupported,
            Self::Word { .. } | Self::Output { .. } => ExitStatus::Usage,
            Self::Write(_) | Self::System { .. } => ExitStatus::Failure,
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Privileges(_) => Some("run it as root: sudo portbind ..."),
            Self::Trace(TraceError::NoBtf(_)) => Some(
                "the kernel has to be built with CONFIG_DEBUG_INFO_BTF; distribution kernels since 2020 are",
            ),
            Self::Trace(_) => Some("portbind doctor tells what this kernel allows"),
            Self::Word { .. } => Some("portbind trace --help tells what the option takes"),
            Self::Output { .. } => Some("name a file in a directory that you may write to"),
            Self::Write(_) => Some("is there room left on the device?"),
            Self::System { .. } => None,
        }
    }
}
