//! Errors that reach the person, and the status the process ends with.

use std::process::ExitCode;

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
