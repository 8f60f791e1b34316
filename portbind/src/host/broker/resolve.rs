//! Resolves paths as other processes see them, part by part. openat2(2) would do it in one call, but a filter of system
//! calls cannot read that call's arguments in memory, and the call can also open files for writing.

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat, readlinkat};
use rustix::io::Errno;

use crate::host::path_walk::{MOST_LINKS, is_of_procfs};

/// Where a path is resolved from. Magic links (`/proc/PID/root` is one) are never followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolve {
    /// The folder is the root of the path.
    InRoot,
    /// From the folder; it has the same root as this process.
    Here,
    /// From the folder; it has another root, so that a link could lead into this process's own root.
    WithoutLinks,
}

impl Resolve {
    pub(super) const ALL: [Self; 3] = [Self::InRoot, Self::Here, Self::WithoutLinks];
}

/// A path being resolved.
pub(super) struct Walk<'a> {
    resolve: Resolve,
    /// The folder where the path begins.
    start: BorrowedFd<'a>,
    /// The folder where the path continues outside of `start`.
    outside: Option<OwnedFd>,
    /// The folders below, down to the current one.
    folders: Vec<OwnedFd>,
    /// Symbolic links followed so far.
    links: usize,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(resolve: Resolve, start: BorrowedFd<'a>) -> Self {
        Self { resolve, start, outside: None, folders: Vec::new(), links: 0 }
    }

    /// Opens the file at a path, with O_PATH; `follows` also decides whether the last part is followed if it is a
    /// symbolic link.
    pub(super) fn open(mut self, path: &[u8], follows: bool) -> Result<OwnedFd, Errno> {
        let mut parts = parts(path);
        while let Some(part) = parts.pop_front() {
            match part.as_slice() {
                b"/" => self.restart()?,
                b".." => self.up()?,
                name => {
                    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    let found = openat(self.current(), name, flags, Mode::empty())?;
                    match FileType::from_raw_mode(fstat(&found)?.st_mode) {
                        FileType::Symlink if follows || !parts.is_empty() => {
                            for part in self.target(&found)?.into_iter().rev() {
                                parts.push_front(part);
                            }
                        }
                        _ if parts.is_empty() => return Ok(found),
                        FileType::Directory => self.folders.push(found),
                        _ => return Err(Errno::NOTDIR),
                    }
                }
            }
        }
        folder(self.current(), ".")
    }

    fn current(&self) -> BorrowedFd<'_> {
        let outside = self.outside.as_ref().map_or(self.start, OwnedFd::as_fd);
        self.folders.last().map_or(outside, OwnedFd::as_fd)
    }

    fn restart(&mut self) -> Result<(), Errno> {
        match self.resolve {
            Resolve::InRoot => {}
            Resolve::Here => self.outside = Some(folder(CWD, "/")?),
            Resolve::WithoutLinks => return Err(Errno::XDEV),
        }
        self.folders.clear();
        Ok(())
    }

    fn up(&mut self) -> Result<(), Errno> {
        if self.folders.pop().is_some() {
            return Ok(());
        }
        match self.resolve {
            // `..` of a root is the root itself.
            Resolve::InRoot => Ok(()),
            Resolve::Here => {
                self.outside = Some(folder(self.current(), "..")?);
                Ok(())
            }
            Resolve::WithoutLinks => Err(Errno::XDEV),
        }
    }

    /// The parts of a symbolic link's target. Links in `/proc` do not lead to the path that they read as.
    fn target(&mut self, link: &OwnedFd) -> Result<VecDeque<Vec<u8>>, Errno> {
        self.links += 1;
        if self.resolve == Resolve::WithoutLinks || self.links > MOST_LINKS || is_of_procfs(link)? {
            return Err(Errno::LOOP);
        }
        Ok(parts(readlinkat(link, "", Vec::new())?.as_bytes()))
    }
}

fn folder(from: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    openat(from, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// The parts of a path; the first part is `/` if the path begins at the root.
fn parts(path: &[u8]) -> VecDeque<Vec<u8>> {
    let root = path.starts_with(b"/").then(|| b"/".to_vec());
    let names = path.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    root.into_iter().chain(names.map(<[u8]>::to_vec)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn paths_lead_where_the_kernel_says() {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().join("root");
        let at = |name: &str| root.join(name);
        std::fs::create_dir_all(at("a/b")).unwrap();
        std::fs::write(at("a/file"), "").unwrap();
        std::fs::write(outside.path().join("file"), "").unwrap();
        symlink("b/../file", at("a/link")).unwrap();
        symlink("/a/file", at("absolute")).unwrap();
        symlink("..", at("up")).unwrap();
        symlink("loop", at("loop")).unwrap();
        symlink("/proc/self/root", at("magic")).unwrap();
        let start = folder(CWD, root.to_str().unwrap()).unwrap();
        let number = |path: &std::path::Path| std::fs::symlink_metadata(path).map(|it| it.ino()).unwrap();
        let (file, above) = (Ok(number(&at("a/file"))), Ok(number(&outside.path().join("file"))));
        let (xdev, looped, none) = (Err(Errno::XDEV), Err(Errno::LOOP), Err(Errno::NOENT));
        let found = |resolve, path: &str, follows| {
            let found = Walk::new(resolve, start.as_fd()).open(path.as_bytes(), follows)?;
            Ok::<_, Errno>(fstat(&found)?.st_ino)
        };
        // Results of a path resolved in the root, from the folder, and without links.
        let cases = [
            ("a/file", file, file, file),
            ("./a//b/../file", file, file, file),
            ("a/link", file, file, looped),
            ("up/file", none, above, looped),
            ("../file", none, above, xdev),
            ("../a/file", file, none, xdev),
            ("absolute", file, none, looped),
            ("/a/file", file, none, xdev),
            ("loop", looped, looped, looped),
            ("magic/etc", none, looped, looped),
            ("a/file/x", Err(Errno::NOTDIR), Err(Errno::NOTDIR), Err(Errno::NOTDIR)),
        ];
        for (path, in_root, here, without) in cases {
            assert_eq!(found(Resolve::InRoot, path, true), in_root, "{path}");
            assert_eq!(found(Resolve::Here, path, true), here, "{path}");
            assert_eq!(found(Resolve::WithoutLinks, path, true), without, "{path}");
        }
        for resolve in [Resolve::InRoot, Resolve::Here, Resolve::WithoutLinks] {
            assert_eq!(found(resolve, "a/link", false), Ok(number(&at("a/link"))));
            assert_eq!(found(resolve, "a/b/..", false), Ok(number(&at("a"))));
        }
        assert_eq!(found(Resolve::InRoot, "../..", true), Ok(number(&root)));
    }
}
