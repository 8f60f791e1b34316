//! Bounded reads of the files that other programs keep on this machine.

use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};

/// The most names that are read from one folder.
const MAX_NAMES: usize = 4096;

/// The files below a root folder.
#[derive(Clone, Debug)]
pub(super) struct Files {
    root: PathBuf,
}

impl Files {
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// A whole file; `None` if the file cannot be read, is no regular file, or is longer than `limit` bytes.
    pub(super) fn read(&self, path: &str, limit: u64) -> Option<Vec<u8>> {
        self.read_if(path, limit, |_| true)
    }

    /// As [`Self::read`], if the file belongs to this user.
    pub(super) fn read_of(&self, uid: u32, path: &str, limit: u64) -> Option<Vec<u8>> {
        self.read_if(path, limit, |metadata| metadata.uid() == uid)
    }

    fn read_if(&self, path: &str, limit: u64, wanted: impl Fn(&Metadata) -> bool) -> Option<Vec<u8>> {
        // A user with write access may have put a pipe there; opening the pipe would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(open(self.root.join(path), flags, Mode::empty()).ok()?);
        let metadata = file.metadata().ok()?;
        if !metadata.is_file() || !wanted(&metadata) {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).ok()?;
        (u64::try_from(bytes.len()).ok()? <= limit).then_some(bytes)
    }

    /// Names in a folder, sorted; names that are not UTF-8 are left out.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(folder)).into_iter().flatten().take(MAX_NAMES);
        let mut names: Vec<_> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort_unstable();
        names
    }

    /// Device and inode number of the file at a path, links followed.
    pub(super) fn identity(&self, path: &str) -> Option<(u64, u64)> {
        let found = rustix::fs::stat(self.root.join(path)).ok()?;
        Some((found.st_dev, found.st_ino))
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn reads_whole_regular_files_only() {
        let root = tempfile::tempdir().unwrap();
        let files = Files::at(root.path());
        fs::write(root.path().join("five"), "12345").unwrap();
        mknodat(CWD, root.path().join("pipe"), FileType::Fifo, Mode::from(0o600), 0).unwrap();
        assert_eq!(files.read("five", 5).as_deref(), Some(&b"12345"[..]));
        assert_eq!(files.read("five", 4), None);
        for other in ["pipe", ".", "none"] {
            assert_eq!(files.read(other, 9), None, "{other}");
        }
        assert_eq!(files.names("."), ["five", "pipe"]);
        assert!(files.names("none").is_empty());
    }
}
