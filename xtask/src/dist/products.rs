//! The release products and their paths.

use std::path::PathBuf;

/// The products, by path.
#[derive(Debug)]
pub(super) struct Products {
    pub(super) tarball: PathBuf,
    pub(super) deb: PathBuf,
    pub(super) sums: PathBuf,
}
