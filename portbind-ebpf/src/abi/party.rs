//! Among whom the room in the ring buffer is shared.

#[cfg(feature = "user")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

record! {
/// Those who share what there is room for: the processes of one user in one part of the tree of cgroups. Neither new
/// processes, nor deep cgroups, nor subordinate user ids make another party of one.
///
/// [`Identity::cgroup`](super::Identity::cgroup) and [`Identity::owner`](super::Identity::owner) say it of a process.
pub struct Party = 16 {
    /// Id of the ancestor of its cgroup at level [`PARTY_LEVEL`] of the unified hierarchy, or of the next one above that
    /// there is (`bpf_get_current_ancestor_cgroup_id`); 0 for the root, and so for all where only the older hierarchies
    /// are used.
    pub cgroup: u64,
    /// Its real user id in the initial user namespace; in another user namespace, the owner of the outermost one around
    /// it that is not the initial one (`user_namespace.owner`, include/linux/user_namespace.h).
    pub owner: u32,
    /// Zero.
    pub reserved: u32,
}
}

/// Level in the tree of cgroups at which parties are told apart: a user's slice or a service of systemd, a container.
pub const PARTY_LEVEL: u32 = 2;
