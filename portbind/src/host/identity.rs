//! Changes the identity of a thread for good.

use rustix::io::Errno;
use rustix::process::{getegid, geteuid, getgid, getuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, capabilities, clear_ambient_capability_set, set_capabilities,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

/// Gives this thread, and the threads that it starts, all ids of a user. The groups stay if `groups` is `None`.
///
/// # Errors
/// The errors of setgroups(2), setresgid(2) and setresuid(2); EPERM if the calls have no effect.
pub(crate) fn take_ids(uid: u32, gid: u32, groups: Option<&[u32]>) -> rustix::io::Result<()> {
    // The kernel accepts an id of -1 and changes nothing (setresuid(2)).
    if [uid, gid].contains(&u32::MAX) || groups.is_some_and(|groups| groups.contains(&u32::MAX)) {
        return Err(Errno::PERM);
    }
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    // Groups first: once the user id is given up, the thread may not change its groups.
    if let Some(groups) = groups {
        let groups: Vec<Gid> = groups.iter().map(|&group| Gid::from_raw(group)).collect();
        set_thread_groups(&groups)?;
    }
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    if (getuid(), geteuid(), getgid(), getegid()) != (uid, uid, gid, gid) {
        return Err(Errno::PERM);
    }
    Ok(())
}

/// The ids of a user to switch to, as a helper process finds them on its command line.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct UserIds {
    /// Real, effective and saved user id.
    // Where the ids may be left out, all of them may: clap refuses a part (`from_arg_matches`).
    #[arg(long, required = false)]
    pub(crate) uid: u32,
    /// Real, effective and saved group id.
    #[arg(long, required = false)]
    pub(crate) gid: u32,
    /// Supplementary groups.
    #[arg(long, value_delimiter = ',')]
    pub(crate) groups: Vec<u32>,
}

impl UserIds {
    /// The words for the command line of a helper process.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = vec![format!("--uid={}", self.uid), format!("--gid={}", self.gid)];
        if !self.groups.is_empty() {
            let groups: Vec<String> = self.groups.iter().map(u32::to_string).collect();
            words.push(format!("--groups={}", groups.join(",")));
        }
        words
    }

    /// Gives this thread, and the threads that it starts, the rights of the user.
    ///
    /// # Errors
    /// The errors of [`take_ids`], and of capset(2).
    pub(crate) fn take(&self) -> rustix::io::Result<()> {
        take_ids(self.uid, self.gid, Some(&self.groups))?;
        if self.uid == 0 { Ok(()) } else { drop_capabilities() }
    }
}

/// Gives up all capabilities. The kernel drops them with the user id, unless they were ambient or securebits keep them
/// (`cap_emulate_setxuid` in security/commoncap.c of 6.18).
fn drop_capabilities() -> rustix::io::Result<()> {
    clear_ambient_capability_set()?;
    let inheritable = capabilities(None)?.inheritable;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Helper {
        #[command(flatten)]
        user: Option<UserIds>,
    }

    #[test]
    fn the_words_of_ids_are_read_back() {
        let read = |words: &[String]| {
            let helper = Helper::try_parse_from(["helper".to_owned()].iter().chain(words));
            helper.ok().map(|helper| helper.user)
        };
        for groups in [vec![], vec![7], vec![7, 0, u32::MAX]] {
            let user = UserIds { uid: 1000, gid: 100, groups };
            assert_eq!(read(&user.words()), Some(Some(user)));
        }
        assert_eq!(read(&[]), Some(None));
        // A process does not keep a part of its rights because a word is missing.
        for words in [["--uid=1"], ["--gid=1"], ["--groups=1"]] {
            assert_eq!(read(&words.map(str::to_owned)), None, "{words:?}");
        }
    }

    #[test]
    fn an_id_that_changes_nothing_is_refused() {
        let gid = getgid().as_raw();
        assert_eq!(take_ids(u32::MAX, gid, None), Err(Errno::PERM));
        assert_eq!(take_ids(getuid().as_raw(), u32::MAX, None), Err(Errno::PERM));
        assert_eq!(take_ids(getuid().as_raw(), gid, None), Ok(()));
    }
}
