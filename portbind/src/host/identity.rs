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

/// Gives this thread, and the threads that it starts, the rights of a user.
pub(crate) fn take_identity(uid: u32, gid: u32, groups: &[u32]) -> rustix::io::Result<()> {
    take_ids(uid, gid, Some(groups))?;
    if uid == 0 { Ok(()) } else { drop_capabilities() }
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
    use super::*;

    #[test]
    fn an_id_that_changes_nothing_is_refused() {
        let gid = getgid().as_raw();
        assert_eq!(take_ids(u32::MAX, gid, None), Err(Errno::PERM));
        assert_eq!(take_ids(getuid().as_raw(), u32::MAX, None), Err(Errno::PERM));
        assert_eq!(take_ids(getuid().as_raw(), gid, None), Ok(()));
    }
}
