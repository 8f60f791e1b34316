//! The file at a path of this process, and the owners of the symbolic links on the way to it.

use std::os::fd::AsFd as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::machine::Host;
use super::path_walk::walk;
use super::unix::{Identified, Sight, absolute, identify};
use crate::diagnosis::unix::Object;

/// Which symbolic links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Links {
    /// All links, as the kernel does.
    All,
    /// Links of root, and links that lead to a folder of the link's owner: the owner of another link may not be
    /// permitted to see the folder's contents.
    OfOwners,
}

impl Host {
    /// Examines a path. A symbolic link in the last part is not followed, as in bind (`kern_path_create` in
    /// fs/namei.c).
    ///
    /// # Errors
    /// The user id of the owner of a link that is not followed.
    pub fn sight_of(&self, path: &Path, links: Links) -> Result<Sight, u32> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let (folder, name) = match path.file_name() {
            Some(name) => (parent.unwrap_or(Path::new(".")), name),
            None => (path, ".".as_ref()),
        };
        let unseen = Sight { is_ours: true, ..Sight::NONE };
        let Ok(walked) = walk(folder) else { return Ok(unseen) };
        if links == Links::OfOwners
            && let Some(uid) = walked.led_by()
        {
            return Err(uid);
        }
        let absolute = absolute(&self.procfs, std::process::id(), path.as_os_str().as_encoded_bytes(), true);
        let open =
            |flags| openat(&walked.folder, name, OFlags::PATH | OFlags::CLOEXEC | flags, Mode::empty());
        Ok(match walked.end.and_then(|()| open(OFlags::NOFOLLOW)) {
            Ok(found) => {
                let is_dangling = || links == Links::All && open(OFlags::empty()).err() == Some(Errno::NOENT);
                let Identified { object, file, made } = identify(&self.entrance, found.as_fd(), is_dangling);
                Sight { object, file, made, absolute, is_ours: true }
            }
            Err(Errno::NOENT) => Sight { object: Object::Gone, absolute, ..unseen },
            Err(_) => unseen,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn objects_at_a_path() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir(at("folder")).unwrap();
        std::fs::write(at("folder/file"), "").unwrap();
        drop(UnixListener::bind(at("stale")).unwrap());
        let _live = UnixListener::bind(at("live")).unwrap();
        symlink("folder", at("link")).unwrap();
        symlink("none", at("dangling")).unwrap();
        let host = Host::new();
        for (path, object) in [
            ("folder", Object::Directory),
            ("folder/.", Object::Directory),
            ("folder/..", Object::Directory),
            ("link/file", Object::File),
            ("folder/../live", Object::LiveSocket),
            ("stale", Object::StaleSocket),
            ("link", Object::Link),
            ("dangling", Object::DanglingLink),
            ("none", Object::Gone),
            ("none/x", Object::Gone),
            ("folder/file/x", Object::Unseen),
        ] {
            assert_eq!(host.sight_of(&at(path), Links::All).unwrap().object, object, "{path}");
        }
    }

    #[test]
    fn a_link_of_somebody_else_leads_nowhere() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let link = root.path().join("link");
        symlink("/etc", &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(4242), None).unwrap();
        let host = Host::new();
        for name in ["passwd", "none", "none/x"] {
            assert_eq!(host.sight_of(&link.join(name), Links::OfOwners), Err(4242), "{name}");
            assert!(host.sight_of(&link.join(name), Links::All).is_ok(), "{name}");
        }
        // The result does not reveal whether the link's target exists.
        for target in ["/etc/passwd", "/etc/none"] {
            std::fs::remove_file(&link).unwrap();
            symlink(target, &link).unwrap();
            assert_eq!(host.sight_of(&link, Links::OfOwners).unwrap().object, Object::Link, "{target}");
        }
    }
}
