//! The user who called sudo, and that user's environment: a wrapped command runs as if neither sudo nor portbind came
//! before it.

use crate::order::collect_sorted;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;

use super::procfs::Procfs;

/// The environment of a command.
pub type Environment = BTreeMap<OsString, OsString>;

/// Variables that sudo(8) itself sets: their values do not show what the user wants.
const SET_BY_SUDO: [&str; 8] = ["HOME", "LOGNAME", "MAIL", "PATH", "SHELL", "TERM", "USER", "USERNAME"];

/// The number of ancestors that are searched; sudo is one above, or two if it runs the command in a terminal of its
/// own.
const NEAR: usize = 3;

/// The largest environment that is read. Environment and arguments together cannot be larger: three quarters of
/// `_STK_LIM` (`bprm_stack_limits` in fs/exec.c of 6.18) are 6 MiB.
const MAX_ENVIRONMENT: u64 = 8 << 20;

/// The user who called sudo, and the environment that sudo was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoker {
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// Supplementary groups; `None` if the process that had them has become sudo.
    pub groups: Option<Vec<u32>>,
    /// File mode creation mask.
    pub umask: Option<u32>,
    /// The environment that sudo was started with.
    pub environment: Environment,
}

/// The result of the search for the caller of a sudo(8) that has become this process. sudo executes the command in its
/// own process if it has nothing left to do afterwards (sudoers(5): neither `pam_session` nor `pam_setcred` nor
/// `use_pty`); the environment that sudo was started with is then gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The parent process belongs to the user who called sudo.
    Caller {
        /// Pid of the parent.
        pid: u32,
        /// The identity of the parent, with the environment that the parent was started with.
        invoker: Invoker,
    },
    /// The environment that sudo was started with is unknown.
    Unknown,
}

impl Procfs {
    /// Finds the caller of sudo if process `pid` has no sudo above it; `command` is `SUDO_COMMAND`. `None` if the
    /// parent runs under the same call of sudo: that call made the parent's environment.
    #[must_use]
    pub fn replaced_sudo(&self, pid: u32, uid: u32, gid: u32, command: &OsStr) -> Option<Replaced> {
        let above = self.stat(pid)?.ppid;
        let is_command =
            |given: Environment| given.get(OsStr::new("SUDO_COMMAND")).is_some_and(|of| of == command);
        if self.started_with(above).is_some_and(is_command) {
            return None;
        }
        let invoker = self.caller(above, uid, gid);
        Some(invoker.map_or(Replaced::Unknown, |invoker| Replaced::Caller { pid: above, invoker }))
    }

    /// The identity of process `pid`, if it has these ids and the user may see its environment. A process that was root
    /// and has executed no program since may have an environment that is not for the user: root owns the `/proc` files
    /// of such a process.
    fn caller(&self, pid: u32, uid: u32, gid: u32) -> Option<Invoker> {
        let is_open = || self.owner(&format!("{pid}/environ")) == Some(uid);
        // Check before and after the read: the process may execute a program meanwhile.
        let environment = is_open().then(|| self.started_with(pid))??;
        let ids = Ids::of(self, pid).filter(|ids| ids.is_plain && (ids.uid, ids.gid) == (uid, gid))?;
        let (groups, umask) = (Some(ids.groups), ids.umask);
        is_open().then_some(Invoker { uid, gid, groups, umask, environment })
    }

    /// The environment that a process was started with.
    fn started_with(&self, pid: u32) -> Option<Environment> {
        Some(environment(&self.read_up_to(&format!("{pid}/environ"), MAX_ENVIRONMENT)?))
    }

    /// The user who called the sudo that process `pid` runs under; `uid` and `gid` are `SUDO_UID` and `SUDO_GID`.
    /// `None` if there is no sudo above `pid`, or another user called that sudo.
    #[must_use]
    pub fn invoker(&self, pid: u32, uid: u32, gid: u32) -> Option<Invoker> {
        let sudo = self.sudo_above(pid)?;
        let mut invoker =
            Invoker { uid, gid, groups: None, umask: None, environment: self.started_with(sudo)? };
        let parent = Ids::of(self, self.stat(sudo)?.ppid);
        let is_caller = |ids: &Ids| ids.is_plain && (ids.uid, ids.gid) == (uid, gid);
        match parent {
            Some(caller) if is_caller(&caller) => {
                invoker.groups = Some(caller.groups);
                invoker.umask = caller.umask;
            }
            // Either a shell became sudo (`sh -c 'sudo ...'`), and the parent of sudo is the process that started the
            // shell, as su does; or sudo left its caller (`sudo -b`), or is the first process of a container. sudo
            // still has the real user id of its caller; it adds 022 to the umask by default (sudoers(5)).
            above => {
                let own = Ids::of(self, sudo).filter(|own| own.uid == uid)?;
                let inherited = above.and_then(|above| above.umask);
                let inherited = inherited.filter(|mask| Some(mask | 0o022) == own.umask);
                invoker.umask = inherited.or(own.umask);
            }
        }
        Some(invoker)
    }

    /// The sudo process above `pid`. If sudo has forked to run the command in a terminal of its own, the sudo process
    /// that was called.
    fn sudo_above(&self, pid: u32) -> Option<u32> {
        let mut found: Option<(u32, Vec<u8>)> = None;
        let mut pid = self.stat(pid)?.ppid;
        for _ in 0..NEAR {
            // A process whose link cannot be read (process 1 of some machines) is no sudo.
            if !self.link(&format!("{pid}/exe")).is_some_and(|exe| exe.ends_with(b"/sudo")) {
                break;
            }
            // A sudo that was called by another sudo has other arguments and another environment.
            let called =
                [self.read(&format!("{pid}/cmdline"))?, self.read(&format!("{pid}/environ"))?].concat();
            if found.as_ref().is_some_and(|(_, below)| *below != called) {
                break;
            }
            found = Some((pid, called));
            let Some(stat) = self.stat(pid) else { break };
            pid = stat.ppid;
        }
        found.map(|(pid, _)| pid)
    }
}

/// User and group ids of a process.
#[derive(Debug, PartialEq, Eq)]
struct Ids {
    /// Real user id.
    uid: u32,
    /// Real group id.
    gid: u32,
    /// All user ids are equal, and all group ids: the process is no setuid or setgid program, whose groups may be
    /// another user's.
    is_plain: bool,
    groups: Vec<u32>,
    umask: Option<u32>,
}

impl Ids {
    fn of(procfs: &Procfs, pid: u32) -> Option<Self> {
        Self::parse(&String::from_utf8_lossy(&procfs.read(&format!("{pid}/status"))?))
    }

    /// Reads `/proc/PID/status` (proc_pid_status(5)).
    fn parse(status: &str) -> Option<Self> {
        let field = |name: &str| {
            status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        let first = |name: &str| field(name)?.split_whitespace().next()?.parse().ok();
        let is_one = |name: &str| {
            let mut ids = field(name)?.split_whitespace();
            let first = ids.next();
            Some(ids.all(|id| Some(id) == first))
        };
        Some(Self {
            uid: first("Uid")?,
            gid: first("Gid")?,
            is_plain: is_one("Uid")? && is_one("Gid")?,
            groups: field("Groups")?.split_whitespace().filter_map(|group| group.parse().ok()).collect(),
            umask: field("Umask").and_then(|mask| u32::from_str_radix(mask, 8).ok()),
        })
    }
}

/// Entries of `/proc/PID/environ`; entries without `=` are left out.
#[must_use]
pub fn environment(bytes: &[u8]) -> Environment {
    let entry = |entry: &[u8]| {
        let equals = entry.iter().position(|&byte| byte == b'=')?;
        let (name, value) = entry.split_at(equals);
        (!name.is_empty())
            .then(|| (OsString::from_vec(name.to_vec()), OsString::from_vec(value[1..].to_vec())))
    };
    collect_sorted(bytes.split(|&byte| byte == 0).filter_map(entry))
}

/// An environment in the format of `/proc/PID/environ`: the reverse of [`environment`].
#[must_use]
pub fn packed(environment: &Environment) -> Vec<u8> {
    let entries = environment.iter();
    let parts =
        entries.flat_map(|(name, value)| [name.as_encoded_bytes(), b"=", value.as_encoded_bytes(), b"\0"]);
    parts.flatten().copied().collect()
}

/// The environment of the user who called sudo, with the variables given on sudo's own command line
/// (`sudo NAME=value portbind ...`): the variables that differ in `now`, except the variables that sudo itself sets.
#[must_use]
pub fn merge(mut given: Environment, now: &Environment) -> Environment {
    let by_sudo = |name: &OsStr| {
        SET_BY_SUDO.iter().any(|known| name == *known) || name.as_encoded_bytes().starts_with(b"SUDO_")
    };
    for (name, value) in now.iter().filter(|(name, _)| !by_sudo(name)) {
        given.insert(name.clone(), value.clone());
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(&str, &str)]) -> Environment {
        entries.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn the_caller_of_sudo() {
        let status = "Name:\tbash\nUmask:\t0027\nUid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\n\
                      Groups:\t4 27 100 \n";
        let ids = Ids::parse(status).unwrap();
        assert_eq!((ids.uid, ids.gid, ids.umask), (1000, 100, Some(0o27)));
        assert_eq!(ids.groups, [4, 27, 100]);
        assert_eq!(Ids::parse("Uid:\tx\n"), None);
    }

    /// A process table of these processes, numbered from 1: program, pid of the parent, arguments and environment, ids.
    fn table(processes: &[(&str, u32, &str, &str)]) -> (tempfile::TempDir, Procfs) {
        let root = tempfile::tempdir().unwrap();
        for (index, (program, parent, words, ids)) in processes.iter().enumerate() {
            let folder = root.path().join((index + 1).to_string());
            std::fs::create_dir(&folder).unwrap();
            std::os::unix::fs::symlink(program, folder.join("exe")).unwrap();
            let rest = "7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 3133440 512 184";
            std::fs::write(folder.join("stat"), format!("{} (x) S {parent} {rest}", index + 1)).unwrap();
            std::fs::write(folder.join("cmdline"), words).unwrap();
            std::fs::write(folder.join("environ"), words).unwrap();
            std::fs::write(folder.join("status"), ids).unwrap();
        }
        let procfs = Procfs::at(root.path());
        (root, procfs)
    }

    const SHELL: &str = "Umask:\t0031\nUid:\t9\t9\t9\t9\nGid:\t8\t8\t8\t8\nGroups:\t8 4 \n";
    const SUDO: &str = "Umask:\t0033\nUid:\t9\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t0 \n";
    const ROOT: &str = "Umask:\t0011\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t0 \n";
    /// As for sg(1): the user's real ids, and groups that may be another user's.
    const SETUID: &str = "Umask:\t0031\nUid:\t9\t0\t0\t0\nGid:\t8\t8\t8\t8\nGroups:\t0 \n";

    fn invoker_above(
        above: &[(&str, u32, &str, &str)],
    ) -> Option<(Option<Vec<u32>>, Option<u32>, Environment)> {
        let portbind = ("/usr/bin/portbind", u32::try_from(above.len()).unwrap(), "", ROOT);
        let (_root, procfs) = table(&[above, &[portbind]].concat());
        let pid = u32::try_from(above.len()).unwrap() + 1;
        procfs.invoker(pid, 9, 8).map(|invoker| (invoker.groups, invoker.umask, invoker.environment))
    }

    #[test]
    fn a_shell_that_called_sudo() {
        let (sudo, shell) = ("/usr/bin/sudo", ("/bin/sh", 0, "", SHELL));
        let expected = Some((Some(vec![8, 4]), Some(0o31), of(&[("A", "1")])));
        assert_eq!(invoker_above(&[shell, (sudo, 1, "A=1", SUDO)]), expected);
        // sudo runs the command in a terminal of its own.
        assert_eq!(invoker_above(&[shell, (sudo, 1, "A=1", SUDO), (sudo, 2, "A=1", ROOT)]), expected);
        // Called by a sudo of another user, directly above.
        assert_eq!(
            invoker_above(&[shell, (sudo, 1, "B=2", ROOT), (sudo, 2, "A=1", SUDO)]).unwrap().2,
            of(&[("A", "1")])
        );
    }

    #[test]
    fn a_shell_that_became_sudo() {
        let sudo = ("/usr/bin/sudo", 1, "A=1", SUDO);
        let environment = of(&[("A", "1")]);
        let su = |ids| ("/bin/su", 0, "", ids);
        assert_eq!(invoker_above(&[su(ROOT), sudo]), Some((None, Some(0o11), environment.clone())));
        assert_eq!(invoker_above(&[su(SETUID), sudo]), Some((None, Some(0o31), environment.clone())));
        let open = ROOT.replace("0011", "0022");
        assert_eq!(invoker_above(&[su(&open), sudo]), Some((None, Some(0o33), environment)));
    }

    /// The processes above sudo cannot be read: there are none, or even root may not read them.
    #[test]
    fn a_sudo_that_left_its_caller() {
        let environment = of(&[("A", "1")]);
        for above in [&[("/usr/bin/sudo", 0, "A=1", SUDO)], &[("/usr/bin/sudo", 77, "A=1", SUDO)]] {
            assert_eq!(invoker_above(above), Some((None, Some(0o33), environment.clone())));
        }
        assert_eq!(invoker_above(&[("/usr/bin/sudo", 0, "SECRET=1", ROOT)]), None);
    }

    #[test]
    fn who_is_not_the_caller_gives_nothing() {
        let (sudo, su) = ("/usr/bin/sudo", ("/bin/su", 0, "", ROOT));
        // Root set SUDO_UID itself.
        assert_eq!(invoker_above(&[su, (sudo, 1, "SECRET=1", ROOT)]), None);
        assert_eq!(invoker_above(&[su]), None);
    }

    /// Puts a process with the test's own user, these ids and this environment above a portbind that sudo became.
    fn replaced(ids: &str, environ: &str, gid: u32) -> Option<Replaced> {
        let uid = rustix::process::getuid().as_raw();
        let ids = ids.replace("USER", &uid.to_string());
        let (_root, procfs) = table(&[("/bin/sh", 0, environ, &ids), ("/usr/bin/portbind", 1, "", ROOT)]);
        procfs.replaced_sudo(2, uid, gid, OsStr::new("portbind run"))
    }

    #[test]
    fn a_sudo_that_became_portbind() {
        let shell = "Umask:\t0031\nUid:\tUSER\tUSER\tUSER\tUSER\nGid:\t8\t8\t8\t8\nGroups:\t8 4 \n";
        let Some(Replaced::Caller { pid: 1, invoker }) = replaced(shell, "A=1", 8) else {
            panic!("the shell is not found");
        };
        assert_eq!((invoker.groups, invoker.umask), (Some(vec![8, 4]), Some(0o31)));
        assert_eq!(invoker.environment, of(&[("A", "1")]));
        // Below another call of sudo.
        assert!(matches!(replaced(shell, "SUDO_COMMAND=sh", 8), Some(Replaced::Caller { .. })));
        // Started by the same call of sudo.
        assert_eq!(replaced(shell, "SUDO_COMMAND=portbind run", 8), None);
        // Of another group, of another user, and setuid.
        assert_eq!(replaced(shell, "A=1", 9), Some(Replaced::Unknown));
        assert_eq!(replaced(&shell.replace("USER", "77"), "A=1", 8), Some(Replaced::Unknown));
        assert_eq!(replaced(&shell.replacen("\tUSER\n", "\t77\n", 1), "A=1", 8), Some(Replaced::Unknown));
    }

    /// As for a daemon that has given up root.
    #[test]
    fn all_that_the_user_may_not_see_is_not_given() {
        let uid = rustix::process::getuid().as_raw() + 1;
        let ids = format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t8\t8\t8\t8\nGroups:\t\n");
        let (_root, procfs) = table(&[("/bin/sh", 0, "SECRET=1", &ids), ("/usr/bin/portbind", 1, "", ROOT)]);
        assert_eq!(procfs.replaced_sudo(2, uid, 8, OsStr::new("x")), Some(Replaced::Unknown));
    }

    #[test]
    fn entries_of_an_environment() {
        assert_eq!(environment(b"A=1\0B==2\0broken\0=3\0C=\0"), of(&[("A", "1"), ("B", "=2"), ("C", "")]));
    }

    #[test]
    fn all_that_sudo_took_away_comes_back_and_all_that_it_set_goes() {
        let given = of(&[("HOME", "/home/ci"), ("PATH", "/opt/node/bin"), ("CI", "true"), ("X", "old")]);
        let now =
            of(&[("HOME", "/root"), ("PATH", "/usr/sbin"), ("SUDO_UID", "7"), ("X", "new"), ("Y", "1")]);
        let expected =
            of(&[("HOME", "/home/ci"), ("PATH", "/opt/node/bin"), ("CI", "true"), ("X", "new"), ("Y", "1")]);
        assert_eq!(merge(given, &now), expected);
    }
}
