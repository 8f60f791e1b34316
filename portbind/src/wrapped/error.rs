//! Why a command does not run.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::escape;
use crate::host::Failed;

/// Why a command does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The command cannot be executed.
    #[error("cannot run {}: {source}", escape::path(Path::new(.program)))]
    Command {
        /// The command.
        program: OsString,
        /// The reason.
        source: io::Error,
    },
    /// The command's environment or identity cannot be set up.
    #[error(transparent)]
    Failed(#[from] Failed),
}
