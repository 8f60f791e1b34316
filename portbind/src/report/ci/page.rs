//! Where the page of a job is.

use std::path::PathBuf;

/// What has become of the page that [`markdown::page`](crate::report::ci::markdown::page) gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// Nobody sees it.
    Nowhere,
    /// The system has it.
    Shown,
    /// It is a file, which the system is to be told.
    At(PathBuf),
}
