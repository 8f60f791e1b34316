//! As whom a command runs.

use std::env;
use std::ffi::{OsStr, OsString};

use crate::host::invoker::{Environment, Invoker, Replaced, merge};
use crate::host::{Account, Accounts, Procfs, UnknownUser};
use crate::writer::{Caller, sudo_uid};

/// As whom a command runs, and with which environment.
#[derive(Debug)]
pub(crate) struct Identity {
    /// Real user id.
    pub(crate) uid: u32,
    /// Whom to become; nobody else where this is `None`.
    pub(crate) becomes: Option<Becomes>,
    /// File mode creation mask, where it is to be another.
    pub(crate) umask: Option<u32>,
    /// The whole environment.
    pub(crate) environment: Environment,
}

/// Another user.
#[derive(Debug)]
pub(crate) struct Becomes {
    /// First group.
    pub(crate) gid: u32,
    /// Supplementary groups.
    pub(crate) groups: Vec<u32>,
}

impl Identity {
    /// The user of `--user`, else who called sudo, else nobody but who runs portbind. That an environment is not known as a
    /// whole is said.
    pub(crate) fn of(
        user: Option<&str>,
        accounts: &Accounts,
        procfs: &Procfs,
        say: impl FnOnce(&str),
    ) -> Result<Self, UnknownUser> {
        let now: Environment = env::vars_os().collect();
        if let Some(user) = user {
            let account = accounts.find(user).ok_or_else(|| UnknownUser(user.to_owned()))?;
            return Ok(Self::of_account(&account, accounts, now));
        }
        let Some(uid) = sudo_uid().and_then(|uid| uid.parse().ok()) else {
            let uid = rustix::process::getuid().as_raw();
            return Ok(Self { uid, becomes: None, umask: None, environment: now });
        };
        let invoker = invoker(uid, procfs, &now, say);
        let account = accounts.of(uid);
        match (invoker, account) {
            (Some(invoker), account) => Ok(Self::of_invoker(invoker, account.as_ref(), accounts, &now)),
            (None, Some(account)) => Ok(Self::of_account(&account, accounts, now)),
            (None, None) => Err(UnknownUser(uid.to_string())),
        }
    }

    /// A variable of the environment; one that is empty is none.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// With whose rights files are opened: those of who called sudo, also if the command runs as somebody else; else
    /// those of the user of `--user`, so that the files are that user's.
    pub(crate) fn caller(&self) -> Result<Caller, UnknownUser> {
        let caller = Caller::of_process()?;
        Ok(match &self.becomes {
            Some(becomes) if !caller.is_other() => {
                Caller { uid: self.uid, gid: becomes.gid, groups: Some(becomes.groups.clone()) }
            }
            _ => caller,
        })
    }

    fn of_invoker(
        invoker: Invoker,
        account: Option<&Account>,
        accounts: &Accounts,
        now: &Environment,
    ) -> Self {
        let Invoker { uid, gid, groups, umask, environment } = invoker;
        let environment = merge(environment, now);
        let groups = groups.unwrap_or_else(|| accounts.groups_with(account, gid));
        Self { uid, becomes: Some(Becomes { gid, groups }), umask, environment }
    }

    /// As runuser(1): the variables that name the user change, the others stay.
    fn of_account(account: &Account, accounts: &Accounts, mut environment: Environment) -> Self {
        environment.retain(|name, _| !name.as_encoded_bytes().starts_with(b"SUDO_"));
        for (name, value) in [
            ("HOME", &account.home),
            ("LOGNAME", &account.name),
            ("SHELL", &account.shell),
            ("USER", &account.name),
        ] {
            environment.insert(name.into(), value.into());
        }
        let becomes = Becomes { gid: account.gid, groups: accounts.groups(account) };
        Self { uid: account.uid, becomes: Some(becomes), umask: None, environment }
    }
}

/// Who called sudo, with the environment that sudo was given, or else that of the process which called it.
fn invoker(uid: u32, procfs: &Procfs, now: &Environment, say: impl FnOnce(&str)) -> Option<Invoker> {
    let gid = now.get(OsStr::new("SUDO_GID"))?.to_str()?.parse().ok()?;
    let pid = std::process::id();
    if let Some(invoker) = procfs.invoker(pid, uid, gid) {
        return Some(invoker);
    }
    match procfs.replaced_sudo(pid, uid, gid, now.get(OsStr::new("SUDO_COMMAND"))?)? {
        Replaced::Caller { pid, invoker } => {
            say(&format!(
                "sudo has become portbind, so the command has the environment that the caller of sudo (pid {pid}) was \
                 started with;\nwhat was set since is lost: {GIVE}"
            ));
            Some(invoker)
        }
        Replaced::Unknown => {
            say(&format!("the environment of the caller of sudo is lost: {GIVE}"));
            None
        }
    }
}

/// How the caller of sudo hands a variable over.
const GIVE: &str = "hand variables over with sudo NAME=VALUE portbind run ...";
