//! Files for a test, which are gone after it.

use std::path::{Path, PathBuf};

/// A file that is removed in the end.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A name that no other run uses.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("portbind-tests-{}-{name}", std::process::id())))
    }

    /// A file of the caller's choosing.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}
