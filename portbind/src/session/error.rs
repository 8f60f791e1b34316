//! Why a session cannot start or continue.

use std::io;

use crate::host::privileges::few_descriptors_hint;
use crate::kernel::error::TraceError;

/// Why a session cannot start or continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Capabilities are missing.
    #[error("tracing needs {}, which this process lacks", .0.join(" and "))]
    Privileges(Vec<&'static str>),
    /// A filter of the [`Builder`](super::Builder) is an empty set: the session could report no refusal.
    #[error("the set of {0} to trace is empty")]
    EmptyFilter(&'static str),
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

impl Error {
    /// What the user can do next, as a sentence without a full stop.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Privileges(_) => Some("run it as root"),
            Self::Trace(error) => Some(error.hint()),
            Self::System { .. } => few_descriptors_hint(),
            Self::EmptyFilter(_) | Self::Write(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_a_start_have_a_hint() {
        let no_btf = || TraceError::NoBtf(io::ErrorKind::NotFound.into());
        let hints = [Error::Privileges(vec!["CAP_BPF"]), Error::Trace(no_btf())].map(|error| error.hint());
        assert!(hints[0].is_some_and(|hint| hint.contains("root")), "{hints:?}");
        assert!(hints[1].is_some_and(|hint| hint.contains("CONFIG_DEBUG_INFO_BTF")), "{hints:?}");
    }
}
