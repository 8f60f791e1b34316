//! Where the rows of the corpus are, and what plays them.

use std::path::Path;

/// Where rows are, and what plays them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Corpus<'a> {
    /// The portbind under test.
    pub(crate) portbind: &'a Path,
    /// The backend.
    pub(crate) backend: &'a str,
    /// Folder of the rows.
    pub(crate) folder: &'a Path,
    /// Folder of the modules of PyPI and npm.
    pub(crate) installed: &'a Path,
    /// Print what portbind shows.
    pub(crate) shows_text: bool,
}
