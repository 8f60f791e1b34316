//! The location of a job's page.

use std::path::PathBuf;

/// What became of the page from [`markdown::page`](crate::report::ci::markdown::page).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// The page is not shown.
    Nowhere,
    /// The system shows the page.
    Shown,
    /// The page is in this file, whose path the system must be given.
    At(PathBuf),
}
