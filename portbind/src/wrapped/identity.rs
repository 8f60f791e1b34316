//! The user and environment with which a command runs.

use std::env;
use std::ffi::{OsStr, OsString};

use crate::host::identity::UserIds;
use crate::host::invoker::{Environment, Invoker, Replaced, merge};
use crate::host::{Account, Accounts, Procfs, UnknownUser};
use crate::writer::{Caller, sudo_uid};

/// The user and environment with which a command runs.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The user to switch to; `None` to keep the current user.
    pub(crate) becomes: Option<UserIds>,
    /// File mode creation mask, if it is to change.
    pub(crate) umask: Option<u32>,
    /// The whole environment.
    pub(crate) environment: Environment,
}

impl Identity {
    /// The user of `--user`, else the user who called sudo, else the current user. Reports through `say` if the
    /// environment is only partly known.
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
            return Ok(Self { becomes: None, umask: None, environment: now });
        };
        let invoker = invoker(uid, procfs, &now, say);
        let account = accounts.of(uid);
        match (invoker, account) {
            (Some(invoker), account) => Ok(Self::of_invoker(invoker, account.as_ref(), accounts, &now)),
            (None, Some(account)) => Ok(Self::of_account(&account, accounts, now)),
            (None, None) => Err(UnknownUser(uid.to_string())),
        }
    }

    /// Real user id of the command.
    pub(crate) fn uid(&self) -> u32 {
        self.becomes.as_ref().map_or_else(|| rustix::process::getuid().as_raw(), |user| user.uid)
    }

    /// A non-empty variable of the environment.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The user whose rights open files: the caller of sudo, also if the command runs as another user; otherwise the
    /// user of `--user`, so that the files belong to that user.
    pub(crate) fn caller(&self) -> Result<Caller, UnknownUser> {
        let caller = Caller::of_process()?;
        Ok(match &self.becomes {
            Some(becomes) if !caller.is_other() => {
                Caller { uid: becomes.uid, gid: becomes.gid, groups: Some(becomes.groups.clone()) }
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
        Self { becomes: Some(UserIds { uid, gid, groups }), umask, environment }
    }

    /// Like runuser(1): changes the variables that name the user, and keeps the rest.
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
        let becomes = UserIds { uid: account.uid, gid: account.gid, groups: accounts.groups(account) };
        Self { becomes: Some(becomes), umask: None, environment }
    }
}

/// The caller of sudo, with the environment that sudo received, or else the environment of the process that called
/// sudo.
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

/// How the caller of sudo can pass variables on.
const GIVE: &str = "hand variables over with sudo NAME=VALUE portbind run ...";
