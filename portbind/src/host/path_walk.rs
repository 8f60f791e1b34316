//! Follows a path to a folder part by part: the kernel does not report the owners of the symbolic links on the way.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path};

use rustix::fs::{CWD, FileType, Mode, OFlags, PROC_SUPER_MAGIC, fstat, fstatfs, openat, readlinkat};
use rustix::io::Errno;

/// The most links that are followed, as in the kernel (MAXSYMLINKS, include/linux/namei.h).
pub(super) const MOST_LINKS: usize = 40;

/// How far a path led.
#[derive(Debug)]
pub(super) struct Walked {
    /// The last folder that was reached, opened with O_PATH.
    pub(super) folder: OwnedFd,
    /// Owners of the symbolic links that were followed.
    pub(super) links: Vec<u32>,
    /// The error that ended the walk before the end of the path; the errors of openat(2) and readlinkat(2).
    pub(super) end: Result<(), Errno>,
}

impl Walked {
    /// The owner of a followed link who has no control over the folder: neither root nor the owner of the folder.
    pub(super) fn led_by(&self) -> Option<u32> {
        let owner = fstat(&self.folder).ok().map(|folder| folder.st_uid);
        self.links.iter().copied().find(|&link| link != 0 && Some(link) != owner)
    }

    fn go(&mut self, path: &Path) -> Result<(), Errno> {
        let mut parts = parts(path);
        while let Some(part) = parts.pop_front() {
            if part == "/" {
                self.folder = folder(&part)?;
                continue;
            }
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let found = openat(&self.folder, &part, flags, Mode::empty())?;
            let stat = fstat(&found)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => self.folder = found,
                FileType::Symlink if self.links.len() < MOST_LINKS && !is_of_procfs(&found)? => {
                    self.links.push(stat.st_uid);
                    let target = readlinkat(&found, "", Vec::new())?;
                    let target = OsString::from_vec(target.into_bytes());
                    for part in self::parts(Path::new(&target)).into_iter().rev() {
                        parts.push_front(part);
                    }
                }
                FileType::Symlink => return Err(Errno::LOOP),
                _ => return Err(Errno::NOTDIR),
            }
        }
        Ok(())
    }
}

/// Follows a path as far as it leads.
///
/// # Errors
/// The errors of openat(2) for the first folder.
pub(super) fn walk(path: &Path) -> io::Result<Walked> {
    let mut walked = Walked { folder: folder(OsStr::new("."))?, links: Vec::new(), end: Ok(()) };
    walked.end = walked.go(path);
    Ok(walked)
}

/// Whether a file is in procfs. Links there do not lead to the path that they read as (`proc_pid_get_link` in
/// fs/proc/base.c): /proc/PID/root reads `/`.
pub(super) fn is_of_procfs(file: &OwnedFd) -> Result<bool, Errno> {
    Ok(fstatfs(file)?.f_type == PROC_SUPER_MAGIC)
}

fn folder(path: &OsStr) -> Result<OwnedFd, Errno> {
    openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
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
            assert!(walk(&at(path)).unwrap().end.is_err(), "{path}");
        }
        for path in ["/proc/self", "/proc/self/root", "/proc/thread-self/cwd"] {
            assert_eq!(walk(Path::new(path)).unwrap().end, Err(Errno::LOOP), "{path}");
        }
    }

    #[test]
    fn who_led_there_has_a_say_or_not() {
        let root = tempfile::tempdir().unwrap();
        symlink("/", root.path().join("away")).unwrap();
        symlink(".", root.path().join("here")).unwrap();
        let own = rustix::process::geteuid().as_raw();
        let other = if own == 0 { 4242 } else { own };
        if own == 0 {
            for name in [".", "away", "here"] {
                std::os::unix::fs::lchown(root.path().join(name), Some(other), None).unwrap();
            }
        }
        let led_by = |path: &str| walk(&root.path().join(path)).unwrap().led_by();
        for (path, expected) in [
            ("here", None),
            ("here/none", None),
            ("away", Some(other)),
            ("away/none", Some(other)),
            ("away/etc/none/x", Some(other)),
        ] {
            assert_eq!(led_by(path), expected, "{path}");
        }
    }
}
