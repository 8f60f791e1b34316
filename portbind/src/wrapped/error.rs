//! What keeps a command from running.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::escape;
use crate::host::Failed;

/// The command cannot be executed.
#[derive(Debug, thiserror::Error)]
#[error("cannot run {}: {source}", escape::path(Path::new(.program)))]
pub struct CommandError {
    /// The command.
    pub program: OsString,
    /// The reason.
    pub source: io::Error,
}

/// Why a command does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be executed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Its surroundings cannot be made.
    #[error(transparent)]
    Failed(#[from] Failed),
}
