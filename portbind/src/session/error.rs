//! What keeps a session from its job.

use std::io;

use crate::kernel::error::TraceError;

/// What keeps a session from its job.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Capabilities are missing.
    #[error("tracing needs {}, which this process lacks", .0.join(" and "))]
    Privileges(Vec<&'static str>),
    /// The kernel half does not run here, or failed.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Events can no longer be written by the sink.
    #[error("cannot write events: {0}")]
    Write(#[source] io::Error),
    /// The kernel refused something else.
    #[error("{doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}
