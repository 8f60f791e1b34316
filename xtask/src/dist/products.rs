//! What is given away, and where it lies.

use std::path::PathBuf;

/// The products, by path.
#[derive(Debug)]
pub(super) struct Products {
    pub(super) tarball: PathBuf,
    pub(super) deb: PathBuf,
    pub(super) sums: PathBuf,
}
