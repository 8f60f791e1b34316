//! What tells whether a process can have made a socket.

use super::machine::Host;
use crate::diagnosis::freeing::binder::Standing;

impl Host {
    /// What tells whether a process can have made a socket. What cannot be read, as of a process that has just ended,
    /// stays empty.
    #[must_use]
    pub fn standing(&self, pid: u32) -> Standing {
        let status = self.procfs.read(&format!("{pid}/status")).unwrap_or_default();
        Standing {
            uids: uids(&status),
            namespace_root: self.namespace_root(pid),
            session: self.procfs.stat(pid).map(|stat| stat.session),
            cgroups: self.cgroup_ids(pid),
        }
    }

    /// The user that is root in the user namespace of a process (user_namespaces(7)); `None` where it is that of this
    /// process.
    fn namespace_root(&self, pid: u32) -> Option<u32> {
        let theirs = self.procfs.namespace_of(&pid.to_string(), "user")?;
        if Some(theirs) == self.procfs.namespace_of("self", "user") {
            return None;
        }
        let text = self.procfs.read(&format!("{pid}/uid_map"))?;
        String::from_utf8_lossy(&text).lines().find_map(root_of)
    }
}

/// Real and saved user id from `/proc/PID/status` (task_state in fs/proc/array.c); the name before them has its
/// newlines escaped.
fn uids(status: &[u8]) -> Vec<u32> {
    let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"Uid:"));
    let text = line.and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let fields: Vec<u32> = text.split_ascii_whitespace().filter_map(|field| field.parse().ok()).collect();
    match fields[..] {
        [real, _, saved, _] if real == saved => vec![real],
        [real, _, saved, _] => vec![real, saved],
        _ => Vec::new(),
    }
}

/// What a line of uid_map says that user 0 is, as this process numbers users.
fn root_of(line: &str) -> Option<u32> {
    let mut fields = line.split_ascii_whitespace();
    fields.next().filter(|&first| first == "0")?;
    fields.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn reads_a_process() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("proc/7");
        std::fs::create_dir_all(folder.join("ns")).unwrap();
        std::fs::create_dir_all(root.path().join("proc/self/ns")).unwrap();
        symlink("user:[1]", root.path().join("proc/self/ns/user")).unwrap();
        let host = Host::at(root.path());
        assert_eq!(host.standing(7), Standing::default());
        symlink("user:[2]", folder.join("ns/user")).unwrap();
        std::fs::write(folder.join("status"), "Name:\tUid:\\n9\nUid:\t1000\t5\t1001\t5\n").unwrap();
        std::fs::write(folder.join("uid_map"), "  1 100000 65536\n  0  1000  1\nx\n").unwrap();
        let expected = Standing { uids: vec![1000, 1001], namespace_root: Some(1000), ..Standing::default() };
        assert_eq!(host.standing(7), expected);
    }

    #[test]
    fn this_process_is_of_its_users_namespace() {
        let standing = Host::new().standing(std::process::id());
        assert_eq!(standing.uids, [rustix::process::getuid().as_raw()]);
        assert!(standing.namespace_root.is_none() && standing.session.is_some());
    }

    proptest::proptest! {
        #[test]
        fn takes_any_bytes(bytes in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..200)) {
            let _uids = uids(&bytes);
            let _root = root_of(&String::from_utf8_lossy(&bytes));
        }
    }
}
