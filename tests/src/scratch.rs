//! Files for a test, which are gone after it.

use std::fs;
use std::os::unix::fs::chown;
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
        let _gone = fs::remove_file(&self.0);
    }
}

/// A folder that is removed in the end, with all that is in it.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// One that belongs to a user.
    ///
    /// # Errors
    /// Those of mkdir(2) and chown(2).
    pub fn new(name: &str, owner: u32) -> anyhow::Result<Self> {
        let folder = Self(Scratch::new(name).path().to_owned());
        fs::create_dir(&folder.0)?;
        chown(&folder.0, Some(owner), Some(owner))?;
        Ok(folder)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a name in it.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names in it.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn names(&self) -> anyhow::Result<Vec<String>> {
        let names = fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}
