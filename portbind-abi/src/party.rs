//! Parties, among which the room in the ring buffer is shared.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

record! {
/// A party shares one part of the ring buffer: the processes of one user in one part of the cgroup tree. New processes,
/// deeper cgroups and subordinate user ids do not create another party.
///
/// [`Identity::cgroup`](super::Identity::cgroup) and [`Identity::owner`](super::Identity::owner) give the party of a
/// process.
pub struct Party = 16 {
    /// Id of the process's ancestor cgroup at level [`PARTY_LEVEL`] of the unified hierarchy, or of the nearest
    /// existing one above that level (`bpf_get_current_ancestor_cgroup_id`); 0 for the root. So 0 for all processes if
    /// only the older hierarchies are used, and before Linux 5.17.
    pub cgroup: u64,
    /// Real user id of the process in the initial user namespace. For a process in another user namespace: the owner of
    /// the outermost enclosing namespace that is not the initial one (`user_namespace.owner`,
    /// include/linux/user_namespace.h).
    pub owner: u32,
    /// 0, [`CROWD`] or [`SOCKETS`].
    pub kind: u32,
}
}

/// Maximum number of kinds of refusals of one party that begin to be counted in one [`WINDOW`](super::WINDOW).
pub const MAX_KINDS: u64 = 1024;

/// Level in the cgroup tree that separates parties: a user's slice, a systemd service, or a container.
pub const PARTY_LEVEL: u32 = 2;

/// [`Party::kind`] of the shared party of all excess new parties below one cgroup at level 1.
pub const CROWD: u32 = 1;
/// [`Party::kind`] of events of the sockets of [`Party::owner`], in whatever process they happen.
pub const SOCKETS: u32 = 2;

record! {
/// Quota of a party in the current window, while there is little room; value of the map `PARTIES`.
pub struct PartyQuota = 48 {
    /// When the window began, in jiffies.
    pub since: u64,
    /// Bytes used of the party's part of the reserved room.
    pub bytes: u64,
    /// Further bytes sent for processes with few refusals.
    pub spare: u64,
    /// Kinds of refusals that began to be counted in this window.
    pub kinds: u64,
    /// [`CROWD`]: new parties in this window.
    pub members: u64,
    /// Lost refusals, in all windows.
    pub lost: u64,
}
}

/// Maximum number of parties in the map `PARTIES`.
pub const MAX_PARTIES: u32 = 1024;
