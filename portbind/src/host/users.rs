//! Names of users.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Names of users from a passwd file, which is read once, and again whenever the file changes.
///
/// No name service is queried: a lookup must neither block on the network nor load foreign code into a privileged
/// program. Users known only to such a service have no name here.
#[derive(Debug)]
pub struct Users {
    path: PathBuf,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    version: Option<Version>,
    names: HashMap<u32, String>,
}

/// Values that change when a file is written or replaced: inode, size, seconds and nanoseconds of mtime.
type Version = (u64, u64, i64, i64);

impl Users {
    /// The users of `/etc/passwd`.
    #[must_use]
    pub fn new() -> Self {
        Self::at("/etc/passwd")
    }

    /// The users of the passwd file at `path`.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), table: Mutex::default() }
    }

    /// The name of a user; the first line wins if several have the same id, as in getpwuid(3).
    #[must_use]
    pub fn name(&self, uid: u32) -> Option<String> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let version = fs::metadata(&self.path)
            .ok()
            .map(|file| (file.ino(), file.size(), file.mtime(), file.mtime_nsec()));
        if table.version != version {
            table.names = fs::read(&self.path).map(|bytes| parse(&bytes)).unwrap_or_default();
            table.version = version;
        }
        table.names.get(&uid).cloned()
    }
}

impl Default for Users {
    fn default() -> Self {
        Self::new()
    }
}

/// Parses lines of passwd(5); invalid lines are skipped.
fn parse(bytes: &[u8]) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in bytes.split(|&byte| byte == b'\n') {
        let mut fields = line.split(|&byte| byte == b':');
        let (Some(name), Some(_password), Some(uid)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        // With `+` and `-`, the compat service of nsswitch.conf(5) includes other entries.
        if name.is_empty() || matches!(name.first(), Some(b'+' | b'-' | b'#')) {
            continue;
        }
        let Some(uid) = std::str::from_utf8(uid).ok().and_then(|uid| uid.parse().ok()) else { continue };
        names.entry(uid).or_insert_with(|| String::from_utf8_lossy(name).into_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_passwd_lines() {
        let text = b"root:x:0:0:root:/root:/bin/sh\n\
            toor:x:0:0::/root:/bin/sh\n\
            # web:x:33:33\n\
            web:x:33:33::/:\n\
            +nis:x:44:44::/:\n\
            short:x\n\
            :x:55:55::/:\n\
            bad:x:-1:1::/:\n\
            huge:x:99999999999:1::/:\n\
            \xff\xfe:x:66:66::/:";
        let names = parse(text);
        let cases = [
            (0, Some("root")),
            (33, Some("web")),
            (44, None),
            (55, None),
            (66, Some("\u{fffd}\u{fffd}")),
            (4_294_967_295, None),
        ];
        for (uid, name) in cases {
            assert_eq!(names.get(&uid).map(String::as_str), name, "{uid}");
        }
    }

    #[test]
    fn reads_again_when_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwd");
        let users = Users::at(&path);
        assert_eq!(users.name(7), None);
        fs::write(&path, "seven:x:7:7::/:\n").unwrap();
        assert_eq!(users.name(7).as_deref(), Some("seven"));
        fs::write(folder.path().join("new"), "sieben:x:7:7::/:\n").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert_eq!(users.name(7).as_deref(), Some("sieben"));
        fs::remove_file(&path).unwrap();
        assert_eq!(users.name(7), None);
    }

    proptest! {
        #[test]
        fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            drop(parse(&bytes));
        }
    }
}
