//! Facts that decide whether a process can have made a socket.

use super::machine::Host;
use super::stat::Stat;
use crate::diagnosis::freeing::binder::Standing;

impl Host {
    /// Facts that decide whether a process can have made a socket. Fields that cannot be read, for example of a process
    /// that has just ended, stay empty.
    #[must_use]
    pub fn standing(&self, pid: u32) -> Standing {
        let status = self.procfs.read(&format!("{pid}/status")).unwrap_or_default();
        let stat = self.procfs.stat(pid);
        Standing {
            uids: uids(&status),
            namespace_root: self.namespace_root(pid),
            session: stat.map(|stat| stat.session),
            cgroups: self.cgroup_ids(pid),
            is_orphan: stat.is_some_and(|stat| self.is_orphan(&stat)),
        }
    }

    /// Whether the parent of a process is not the process that forked it, as far as that is visible: the parent is
    /// process 1 of a pid namespace, which adopts orphans, or is in another session. fork(2) does not change the
    /// session, and setsid(2) makes a session without other processes (ksys_setsid, kernel/sys.c): if two processes are
    /// in a session that is not their parent's, the parent adopted at least one of them (PR_SET_CHILD_SUBREAPER,
    /// prctl(2)).
    fn is_orphan(&self, stat: &Stat) -> bool {
        let parent = self.procfs.read(&format!("{}/status", stat.ppid)).unwrap_or_default();
        let is_other_session = |parent: Stat| parent.session != stat.session;
        is_init(&parent) || self.procfs.stat(stat.ppid).is_some_and(is_other_session)
    }

    /// The user who is root in the user namespace of a process (user_namespaces(7)); `None` if this process is in the
    /// same user namespace.
    fn namespace_root(&self, pid: u32) -> Option<u32> {
        let theirs = self.procfs.namespace_of(&pid.to_string(), "user")?;
        if Some(theirs) == self.procfs.namespace_of("self", "user") {
            return None;
        }
        let text = self.procfs.read(&format!("{pid}/uid_map"))?;
        String::from_utf8_lossy(&text).lines().find_map(root_of)
    }
}

/// Real and saved user id from `/proc/PID/status` (task_state in fs/proc/array.c); newlines in the name above them are
/// escaped.
fn uids(status: &[u8]) -> Vec<u32> {
    match numbers(status, b"Uid:")[..] {
        [real, _, saved, _] if real == saved => vec![real],
        [real, _, saved, _] => vec![real, saved],
        _ => Vec::new(),
    }
}

/// Whether `/proc/PID/status` belongs to process 1 of a pid namespace: the last pid in the list is the pid in the
/// process's own namespace (task_state in fs/proc/array.c).
fn is_init(status: &[u8]) -> bool {
    numbers(status, b"NSpid:").last() == Some(&1)
}

/// The numbers in a line of `/proc/PID/status`.
fn numbers(status: &[u8], name: &[u8]) -> Vec<u32> {
    let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name));
    let text = line.and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|field| field.parse().ok()).collect()
}

/// The user that user 0 of a uid_map line maps to, as this process numbers users.
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
    fn orphans_are_known_by_who_took_them_in() {
        let root = tempfile::tempdir().unwrap();
        for (pid, parent, session, own) in
            [(1, 0, 0, 1), (5, 1, 5, 5), (6, 5, 5, 6), (7, 5, 9, 7), (20, 5, 5, 1), (21, 20, 5, 2)]
        {
            let folder = root.path().join(format!("proc/{pid}"));
            std::fs::create_dir_all(&folder).unwrap();
            let stat = format!("{pid} (x) S {parent} 5 {session} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 0 0");
            std::fs::write(folder.join("stat"), stat).unwrap();
            std::fs::write(folder.join("status"), format!("Name:\tx\nNSpid:\t{pid}\t{own}\n")).unwrap();
        }
        let host = Host::at(root.path());
        // A child of process 1, a child of a parent in another session, a child of process 1 of a container; 8 does not
        // exist.
        for (pid, expected) in [(5, true), (6, false), (7, true), (20, false), (21, true), (8, false)] {
            assert_eq!(host.standing(pid).is_orphan, expected, "{pid}");
        }
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
