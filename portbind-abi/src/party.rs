//! Among whom the room in the ring buffer is shared.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

record! {
/// Those who share what there is room for: the processes of one user in one part of the tree of cgroups. Neither new
/// processes, nor deep cgroups, nor subordinate user ids make another party of one.
///
/// [`Identity::cgroup`](super::Identity::cgroup) and [`Identity::owner`](super::Identity::owner) say it of a process.
pub struct Party = 16 {
    /// Id of the ancestor of its cgroup at level [`PARTY_LEVEL`] of the unified hierarchy, or of the next one above that
    /// there is (`bpf_get_current_ancestor_cgroup_id`); 0 for the root, and so for all where only the older hierarchies
    /// are used, and before Linux 5.17.
    pub cgroup: u64,
    /// Its real user id in the initial user namespace; in another user namespace, the owner of the outermost one around
    /// it that is not the initial one (`user_namespace.owner`, include/linux/user_namespace.h).
    pub owner: u32,
    /// 0, [`CROWD`] or [`SOCKETS`].
    pub kind: u32,
}
}

/// Kinds of refusals of one party that begin to be counted in a [`WINDOW`](super::WINDOW) of time.
pub const MAX_KINDS: u64 = 1024;

/// Level in the tree of cgroups at which parties are told apart: a user's slice or a service of systemd, a container.
pub const PARTY_LEVEL: u32 = 2;

/// [`Party::kind`] of what all parties have together that are new in too great a number, below one cgroup at level 1.
pub const CROWD: u32 = 1;
/// [`Party::kind`] of what becomes of the sockets of [`Party::owner`], whoever's processes they are of.
pub const SOCKETS: u32 = 2;

record! {
/// What a party had of a window of time while there was little room; a value of the map `PARTIES`.
pub struct PartyQuota = 48 {
    /// When the window began, in jiffies.
    pub since: u64,
    /// Bytes of the room that is kept for all parties.
    pub bytes: u64,
    /// Bytes that were sent of processes with few refusals, beyond that.
    pub spare: u64,
    /// Kinds of refusals that began to be counted.
    pub kinds: u64,
    /// [`CROWD`]: parties that were new.
    pub members: u64,
    /// Refusals that were lost, in all windows.
    pub lost: u64,
}
}

/// Parties that are remembered.
pub const MAX_PARTIES: u32 = 1024;
