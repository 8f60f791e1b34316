//! What keeps a command from running.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::escape;
use crate::host::Failed;

/// Why a command does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be executed.
    #[error("cannot run {}: {source}", escape::path(Path::new(.program)))]
    Command {
        /// The command.
        program: OsString,
        /// Why.
        source: io::Error,
    },
    /// Its surroundings cannot be made.
    #[error(transparent)]
    Failed(#[from] Failed),
}
