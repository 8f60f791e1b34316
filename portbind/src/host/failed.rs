//! A call to the system that failed, with what the call was for.

use std::io;

/// What was tried, and why that failed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {source}")]
pub struct Failed {
    /// What was tried.
    pub doing: &'static str,
    /// Why that failed.
    pub source: io::Error,
}

impl Failed {
    /// Makes the error of a call, for `map_err`.
    pub(crate) fn at<E: Into<io::Error>>(doing: &'static str) -> impl Fn(E) -> Self {
        move |source| Self { doing, source: source.into() }
    }
}
