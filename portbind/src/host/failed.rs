//! A failed system call, with the purpose of the call.

use std::io;

/// The attempted action, and the reason for its failure.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {source}")]
pub struct Failed {
    /// The attempted action.
    pub doing: &'static str,
    /// The reason for the failure.
    pub source: io::Error,
}

impl Failed {
    /// Makes the error of a call, for `map_err`.
    pub(crate) fn at<E: Into<io::Error>>(doing: &'static str) -> impl Fn(E) -> Self + Copy {
        move |source| Self { doing, source: source.into() }
    }
}
