//! Who called sudo, and with what: a wrapped command is to run as if neither sudo nor portbind stood before it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;

use super::Procfs;

/// The environment of a command.
pub type Environment = BTreeMap<OsString, OsString>;

/// What sudo(8) sets by itself, so that its value says nothing of what the caller wants.
const SET_BY_SUDO: [&str; 8] = ["HOME", "LOGNAME", "MAIL", "PATH", "SHELL", "TERM", "USER", "USERNAME"];

/// Processes that are walked up; sudo is one above, or two where it runs the command in a terminal of its own.
const NEAR: usize = 3;

/// The process that called sudo, and the environment it gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoker {
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// File mode creation mask.
    pub umask: Option<u32>,
    /// What sudo was given.
    pub environment: Environment,
}

impl Procfs {
    /// The process that called the sudo under which process `pid` runs.
    #[must_use]
    pub fn invoker(&self, pid: u32) -> Option<Invoker> {
        let sudo = self.sudo_above(pid)?;
        let caller = self.stat(sudo)?.ppid;
        let status = String::from_utf8_lossy(&self.read(&format!("{caller}/status"))?).into_owned();
        let environment = environment(&self.read(&format!("{sudo}/environ"))?);
        Invoker::parse(&status, environment)
    }

    /// The outermost of the sudo processes right above a process.
    fn sudo_above(&self, pid: u32) -> Option<u32> {
        let mut found = None;
        let mut pid = self.stat(pid)?.ppid;
        for _ in 0..NEAR {
            let exe = self.link(&format!("{pid}/exe"))?;
            if !exe.ends_with(b"/sudo") {
                break;
            }
            found = Some(pid);
            pid = self.stat(pid)?.ppid;
        }
        found
    }
}

impl Invoker {
    /// Reads `/proc/PID/status` (proc_pid_status(5)).
    fn parse(status: &str, environment: Environment) -> Option<Self> {
        let field = |name: &str| {
            status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        let first = |name: &str| field(name)?.split_whitespace().next()?.parse().ok();
        Some(Self {
            uid: first("Uid")?,
            gid: first("Gid")?,
            groups: field("Groups")?.split_whitespace().filter_map(|group| group.parse().ok()).collect(),
            umask: field("Umask").and_then(|mask| u32::from_str_radix(mask, 8).ok()),
            environment,
        })
    }
}

/// Entries of `/proc/PID/environ`; without `=` they are none.
fn environment(bytes: &[u8]) -> Environment {
    let entry = |entry: &[u8]| {
        let equals = entry.iter().position(|&byte| byte == b'=')?;
        let (name, value) = entry.split_at(equals);
        (!name.is_empty())
            .then(|| (OsString::from_vec(name.to_vec()), OsString::from_vec(value[1..].to_vec())))
    };
    bytes.split(|&byte| byte == 0).filter_map(entry).collect()
}

/// The environment of the caller of sudo, with what was given to the command on sudo's own command line
/// (`sudo NAME=value portbind ...`): variables that differ `now`, except those that sudo sets by itself.
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
        let status = "Name:\tbash\nUmask:\t0027\nUid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\nGroups:\t4 27 100 \n";
        let invoker = Invoker::parse(status, Environment::new()).unwrap();
        assert_eq!((invoker.uid, invoker.gid, invoker.umask), (1000, 100, Some(0o27)));
        assert_eq!(invoker.groups, [4, 27, 100]);
        assert_eq!(Invoker::parse("Uid:\tx\n", Environment::new()), None);
    }

    #[test]
    fn entries_of_an_environment() {
        assert_eq!(environment(b"A=1\0B==2\0broken\0=3\0C=\0"), of(&[("A", "1"), ("B", "=2"), ("C", "")]));
    }

    #[test]
    fn what_sudo_took_away_comes_back_and_what_it_set_goes() {
        let given = of(&[("HOME", "/home/ci"), ("PATH", "/opt/node/bin"), ("CI", "true"), ("X", "old")]);
        let now =
            of(&[("HOME", "/root"), ("PATH", "/usr/sbin"), ("SUDO_UID", "7"), ("X", "new"), ("Y", "1")]);
        let expected =
            of(&[("HOME", "/home/ci"), ("PATH", "/opt/node/bin"), ("CI", "true"), ("X", "new"), ("Y", "1")]);
        assert_eq!(merge(given, &now), expected);
    }
}
