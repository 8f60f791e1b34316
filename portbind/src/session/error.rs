//! Why a session cannot start or continue.

use std::io;

use crate::kernel::error::TraceError;

/// Why a session cannot start or continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Capabilities are missing.
    #[error("tracing needs {}, which this process lacks", .0.join(" and "))]
    Privileges(Vec<&'static str>),
    /// The kernel half does not run on this kernel, or failed.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Events cannot be written any more. A [`Session`](super::Session) writes nothing, and does not return this.
    #[error("cannot write events: {0}")]
    Write(#[source] io::Error),
    /// The kernel refused another operation.
    #[error("{doing}: {source}")]
    System {
        /// The operation.
        doing: &'static str,
        /// Why the operation failed.
        source: io::Error,
    },
}
