//! A path to a folder, followed part by part: the kernel does not say whose symbolic links it goes through.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat, readlinkat};
use rustix::io::Errno;

/// Links that are followed, as many as by the kernel (MAXSYMLINKS, include/linux/namei.h).
const MOST_LINKS: usize = 40;

/// A folder, and how the path led there.
#[derive(Debug)]
pub(super) struct Walked {
    /// The folder (O_PATH).
    pub(super) folder: OwnedFd,
    /// Owners of the symbolic links on the way.
    pub(super) links: Vec<u32>,
}

/// Follows a path.
///
/// # Errors
/// Those of openat(2) and readlinkat(2).
pub(super) fn walk(path: &Path) -> io::Result<Walked> {
    let mut walked = Walked { folder: folder(OsStr::new("."))?, links: Vec::new() };
    let mut parts = parts(path);
    while let Some(part) = parts.pop_front() {
        if part == "/" {
            walked.folder = folder(&part)?;
            continue;
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let found = openat(&walked.folder, &part, flags, Mode::empty())?;
        let stat = fstat(&found)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => walked.folder = found,
            FileType::Symlink if walked.links.len() < MOST_LINKS => {
                walked.links.push(stat.st_uid);
                let target = readlinkat(&found, "", Vec::new())?;
                let target = OsString::from_vec(target.into_bytes());
                for part in self::parts(Path::new(&target)).into_iter().rev() {
                    parts.push_front(part);
                }
            }
            FileType::Symlink => return Err(Errno::LOOP.into()),
            _ => return Err(Errno::NOTDIR.into()),
        }
    }
    Ok(walked)
}

fn folder(path: &OsStr) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let components = path.components().filter(|part| *part != Component::CurDir);
    components.map(|part| part.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn follows_links_as_the_kernel_does() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("a/b")).unwrap();
        symlink("a/b", at("relative")).unwrap();
        symlink(at("relative"), at("absolute")).unwrap();
        symlink("loop", at("loop")).unwrap();
        std::fs::write(at("file"), "").unwrap();
        let number = |folder: &OwnedFd| fstat(folder).unwrap().st_ino;
        let expected = number(&walk(&at("a/b")).unwrap().folder);
        for (path, links) in
            [("a/b", 0), ("a/./b/../b", 0), ("relative", 1), ("absolute", 2), ("relative/../b", 1)]
        {
            let walked = walk(&at(path)).unwrap();
            assert_eq!((number(&walked.folder), walked.links.len() >= links), (expected, true), "{path}");
        }
        for path in ["loop", "file", "none"] {
            assert!(walk(&at(path)).is_err(), "{path}");
        }
    }
}
