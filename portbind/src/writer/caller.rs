//! The user whose rights apply when a file is opened.

use std::env;
use std::io;
use std::path::Path;
use std::process::Command;

use rustix::process::{DumpableBehavior, getgid, getuid, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, set_capabilities,
};

use crate::host::confinement::empty_bounding_set;
use crate::host::identity::take_ids;
use crate::host::{Accounts, Procfs, UnknownUser};

/// The capabilities that root keeps to open files: file permissions do not restrict root.
const OF_ROOT: CapabilitySet =
    CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::DAC_READ_SEARCH).union(CapabilitySet::FOWNER);

/// The user who called portbind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// User id.
    pub(crate) uid: u32,
    /// Group id.
    pub(crate) gid: u32,
    /// Supplementary groups; `None` keeps the groups of this process.
    pub(crate) groups: Option<Vec<u32>>,
}

/// The caller's uid according to sudo. If portbind runs as root, only sudo can have set the variable; for other users
/// it grants nothing.
pub(crate) fn sudo_uid() -> Option<String> {
    env::var("SUDO_UID").ok().filter(|word| getuid().is_root() && !word.is_empty())
}

impl Caller {
    /// The caller of sudo, or else the user of this process (real ids).
    ///
    /// # Errors
    /// [`UnknownUser`] if the caller of sudo is unknown.
    pub(crate) fn of_process() -> Result<Self, UnknownUser> {
        let real = Self { uid: getuid().as_raw(), gid: getgid().as_raw(), groups: None };
        sudo_uid().map_or(Ok(real), |word| Self::of_sudo(&word))
    }

    /// Whether a user other than root has called sudo.
    pub(crate) fn is_behind_sudo() -> bool {
        sudo_uid().is_some_and(|word| word != "0")
    }

    /// Whether sudo stands between the caller and this process.
    pub(crate) fn is_other(&self) -> bool {
        self.groups.is_some()
    }

    fn of_sudo(word: &str) -> Result<Self, UnknownUser> {
        let unknown = || UnknownUser(word.to_owned());
        let uid: u32 = word.parse().map_err(|_| unknown())?;
        let accounts = Accounts::at(Path::new("/"));
        let account = accounts.of(uid);
        // The same groups as the wrapped command receives (`wrapped::identity`).
        let gid = env::var("SUDO_GID").ok().and_then(|gid| gid.parse().ok());
        if let Some(invoker) = gid.and_then(|gid| Procfs::new().invoker(std::process::id(), uid, gid)) {
            let groups =
                invoker.groups.unwrap_or_else(|| accounts.groups_with(account.as_ref(), invoker.gid));
            return Ok(Self { uid, gid: invoker.gid, groups: Some(groups) });
        }
        let account = account.ok_or_else(unknown)?;
        Ok(Self { uid, gid: account.gid, groups: Some(accounts.groups(&account)) })
    }

    /// Passes these ids to a helper process ([`crate::writer::serve::Args`]).
    pub(super) fn put_on(&self, command: &mut Command) {
        command.args(["--uid".to_owned(), self.uid.to_string(), "--gid".to_owned(), self.gid.to_string()]);
        match &self.groups {
            None => command.arg("--keep-groups"),
            Some(groups) => command.args(groups.iter().map(|group| format!("--group={group}"))),
        };
    }

    /// Irrevocably restricts this thread, and threads that it starts, to the rights of the caller.
    ///
    /// # Errors
    /// The errors of prctl(2), setgroups(2), setresgid(2), setresuid(2) and capset(2); `PermissionDenied` if the calls
    /// have no effect.
    pub(crate) fn take(&self) -> io::Result<()> {
        empty_bounding_set()?;
        take_ids(self.uid, self.gid, self.groups.as_deref())?;
        let kept =
            if self.uid == 0 { capabilities(None)?.permitted & OF_ROOT } else { CapabilitySet::empty() };
        clear_ambient_capability_set()?;
        set_capabilities(
            None,
            CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
        )?;
        Ok(())
    }

    /// Gives up root if sudo stands between the caller and this process, for verbs that only read and write files.
    ///
    /// # Errors
    /// The errors of [`Self::take`].
    pub(crate) fn replace_root(&self) -> io::Result<()> {
        if !self.is_other() {
            return Ok(());
        }
        self.take()?;
        // Otherwise this process could not open /dev/stdin and /dev/fd: their links belong to root while a process is
        // not dumpable (task_dump_owner in fs/proc/base.c, 6.18). This process contains only data that the caller
        // passed to it.
        Ok(set_dumpable_behavior(DumpableBehavior::Dumpable)?)
    }
}
