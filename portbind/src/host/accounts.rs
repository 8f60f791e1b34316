//! Accounts of passwd(5) and group(5), for the user that a command runs as.
//!
//! As in [`super::users`], no name service is queried.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::escape::Escaped;

/// No account has this name or number.
#[derive(Debug, thiserror::Error)]
#[error("there is no user {}", Escaped(.0))]
pub struct UnknownUser(pub String);

/// The most ranges of subordinate ids that are read; a machine with more users has a name service.
const MAX_RANGES: usize = 1024;

/// The account files of a machine.
#[derive(Clone, Debug)]
pub struct Accounts {
    passwd: PathBuf,
    group: PathBuf,
    subuid: PathBuf,
}

/// A line of passwd(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Id of the user's first group.
    pub gid: u32,
    /// Home folder.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

impl Accounts {
    /// The account files of the machine whose root folder is `root`.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self {
            passwd: root.join("etc/passwd"),
            group: root.join("etc/group"),
            subuid: root.join("etc/subuid"),
        }
    }

    /// Ranges of subordinate user ids, each with the user id of its owner: lines `NAME:FIRST:COUNT` or
    /// `UID:FIRST:COUNT` of subuid(5). Lines of users without an account are left out.
    #[must_use]
    pub fn subordinate_uids(&self) -> Vec<(Range<u32>, u32)> {
        let of_line = |line: &str| -> Option<(Range<u32>, u32)> {
            let fields: Vec<&str> = line.split(':').collect();
            let [user, first, count] = fields[..] else { return None };
            let first: u32 = first.parse().ok()?;
            let end = first.checked_add(count.trim().parse().ok()?)?;
            let owner = user.parse().ok().or_else(|| self.find(user).map(|account| account.uid))?;
            Some((first..end, owner))
        };
        read_lossy(&self.subuid).lines().filter_map(of_line).take(MAX_RANGES).collect()
    }

    /// The account with this login name or this number.
    #[must_use]
    pub fn find(&self, user: &str) -> Option<Account> {
        let named = self.read().find(|account| account.name == user);
        named.or_else(|| self.of(user.parse().ok()?))
    }

    /// The account of a user id; the first line wins, as in getpwuid(3).
    #[must_use]
    pub fn of(&self, uid: u32) -> Option<Account> {
        self.read().find(|account| account.uid == uid)
    }

    /// The groups of a user, including the first group of the account.
    #[must_use]
    pub fn groups(&self, account: &Account) -> Vec<u32> {
        let text = read_lossy(&self.group);
        let of_line = |line: &str| -> Option<u32> {
            let fields: Vec<&str> = line.split(':').collect();
            let [_, _, gid, members] = fields[..] else { return None };
            members.split(',').any(|member| member.trim() == account.name).then(|| gid.parse().ok())?
        };
        let mut groups = vec![account.gid];
        groups.extend(text.lines().filter_map(of_line).filter(|&gid| gid != account.gid));
        groups
    }

    /// The groups of a user whose first group is `gid`; a user without an account has no other known group.
    #[must_use]
    pub fn groups_with(&self, account: Option<&Account>, gid: u32) -> Vec<u32> {
        let mut groups = account.map(|account| self.groups(account)).unwrap_or_default();
        if !groups.contains(&gid) {
            groups.push(gid);
        }
        groups
    }

    fn read(&self) -> impl Iterator<Item = Account> + use<> {
        let text = read_lossy(&self.passwd);
        let accounts: Vec<_> = text.lines().filter_map(parse).collect();
        accounts.into_iter()
    }
}

fn read_lossy(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn parse(line: &str) -> Option<Account> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, _, home, shell] = fields[..] else { return None };
    // With `+` and `-`, the compat service of nsswitch.conf(5) includes other entries.
    if name.is_empty() || name.starts_with(['+', '-', '#']) {
        return None;
    }
    Some(Account {
        name: name.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        home: home.to_owned(),
        shell: shell.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> (tempfile::TempDir, Accounts) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        let passwd = "root:x:0:0:root:/root:/bin/bash\n+::::::\nbroken\nci:x:1000:1000:,,,:/home/ci:/bin/sh\n\
                      too:x:1000:7::/:/bin/false\n";
        let group = "root:x:0:\nci:x:1000:ci\ndocker:x:998:other,ci\nadm:x:4:other\nwheel:x:bad:ci\n";
        fs::write(root.path().join("etc/passwd"), passwd).unwrap();
        fs::write(root.path().join("etc/group"), group).unwrap();
        let accounts = Accounts::at(root.path());
        (root, accounts)
    }

    #[test]
    fn accounts_by_name_and_number() {
        let (_root, accounts) = accounts();
        assert_eq!(
            accounts.find("ci").map(|account| (account.uid, account.home)),
            Some((1000, "/home/ci".to_owned()))
        );
        assert_eq!(accounts.find("1000").map(|account| account.name), Some("ci".to_owned()));
        assert_eq!(accounts.of(0).map(|account| account.name), Some("root".to_owned()));
        assert_eq!(
            (accounts.find("nobody"), accounts.find("+"), accounts.find("broken")),
            (None, None, None)
        );
    }

    #[test]
    fn groups_once_each() {
        let (_root, accounts) = accounts();
        assert_eq!(accounts.groups(&accounts.find("ci").unwrap()), [1000, 998]);
        assert_eq!(accounts.groups(&accounts.find("root").unwrap()), [0]);
    }
}
