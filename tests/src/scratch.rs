//! Files for a test, which are removed at the end.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

/// A file that is removed when dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A file with a name that no other run uses.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("portbind-tests-{}-{name}", std::process::id())))
    }

    /// A file at this path.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The path of the file.
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

/// A folder that is removed with its contents when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new folder that belongs to a user.
    ///
    /// # Errors
    /// The errors of mkdir(2) and chown(2).
    pub fn new(name: &str, owner: u32) -> anyhow::Result<Self> {
        let folder = Self(Scratch::new(name).path().to_owned());
        fs::create_dir(&folder.0)?;
        chown(&folder.0, Some(owner), Some(owner))?;
        Ok(folder)
    }

    /// The path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a name in the folder.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names in the folder.
    ///
    /// # Errors
    /// The errors of reading the folder.
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
