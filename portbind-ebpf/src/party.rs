//! Parties: which party a process belongs to, and what each party may send while the ring buffer has little room.

use portbind_abi::{CROWD, PARTY_LEVEL, Party, PartyQuota, SOCKETS};

use crate::kernel::atomic::{add, add_one};
use crate::kernel::clock::jiffies;
use crate::kernel::globals::at;
use crate::kernel::memory::Ptr;
use crate::kernel::task::{current_ancestor_cgroup, current_owner, current_task};
use crate::kernel::values::{InPlace, InPlaceOrNew};
use crate::kernel::volatile::{get, set};
use crate::kernel::{Step, repeat, verified_once};
use crate::little_room::has_little_room;
use crate::maps::PARTIES;
use crate::sock::bits::nonzero;
use crate::window::is_over;

/// Maximum nesting depth of user namespaces (create_user_ns, kernel/user_namespace.c).
const MAX_NAMESPACES: u32 = 33;
/// Bytes of the ring buffer that each party may fill in one window while there is little room. Half of the ring buffer
/// is kept for this: room for 32 parties.
const SMALL: u64 = 32 << 10;
/// Parties that can be new in one window below one cgroup at level 1; all further ones count as one party.
const MAX_NEW: u64 = 64;

/// The party of the current task.
#[inline(always)]
pub(crate) fn current() -> Party {
    let (near, far) = (ancestor_cgroup(PARTY_LEVEL), ancestor_cgroup(1));
    let cgroup = near | far.wrapping_mul(1 ^ nonzero(near));
    Party { cgroup, owner: portbind_owner() as u32, kind: 0 }
}

/// Id of the current task's ancestor cgroup at this level; 0 if there is none, or without bpf_loop (before 5.17):
/// tracing programs of 5.10 lack the helper (bpf_tracing_func_proto, kernel/trace/bpf_trace.c).
#[inline(always)]
fn ancestor_cgroup(level: u32) -> u64 {
    if cfg!(feature = "bounded") { 0 } else { current_ancestor_cgroup(level) }
}

/// The party of a socket's owner (`sk_uid`): a socket can change state in the context of any process.
#[inline(always)]
pub(crate) const fn of_socket(uid: u32) -> Party {
    Party { cgroup: 0, owner: uid, kind: SOCKETS }
}

/// Owner and kind of a party in one value, for functions that take only numbers; see [`of_values`].
#[inline(always)]
pub(crate) const fn owner_and_kind(party: &Party) -> u64 {
    (party.kind as u64) << 32 | party.owner as u64
}

/// The party made of a cgroup and a value of [`owner_and_kind`].
#[inline(always)]
pub(crate) const fn of_values(cgroup: u64, owner_and_kind: u64) -> Party {
    Party { cgroup, owner: owner_and_kind as u32, kind: (owner_and_kind >> 32) as u32 }
}

verified_once! {
/// The user behind the current task; see [`Party::owner`].
fn portbind_owner() {
    let namespace = current_task().follow(at!(task_cred)).follow(at!(cred_user_ns));
    let mut outermost = Outermost { namespace, owner: current_owner() as u32 };
    if namespace.read::<u32>(at!(user_namespace_level)) != 0 {
        repeat(MAX_NAMESPACES, &mut outermost);
    }
    u64::from(outermost.owner)
}
}

/// The walk up to the initial user namespace, and the owner of the last namespace before it.
struct Outermost {
    namespace: Ptr,
    owner: u32,
}

impl Step for Outermost {
    #[inline(always)]
    fn step(&mut self) -> bool {
        if self.namespace.read::<u32>(at!(user_namespace_level)) == 0 {
            return false;
        }
        self.owner = self.namespace.read(at!(user_namespace_owner));
        self.namespace = self.namespace.follow(at!(user_namespace_parent));
        true
    }
}

/// The quota of a party in this window; if too many parties are new, the quota that they share.
#[inline(always)]
pub(crate) fn share(party: &Party) -> Option<&'static mut PartyQuota> {
    let is_one_of_many = portbind_settle(party.cgroup, owner_and_kind(party)) != 0;
    if is_one_of_many { PARTIES.value(&crowd()) } else { PARTIES.value(party) }
}

verified_once! {
/// Begins a new window for a party, if its last one is over. Returns 1 if too many parties are new, so that this one
/// has no quota of its own and uses the shared one.
fn portbind_settle(cgroup, owner_and_kind) {
    // One variable for all keys, because the stack is small.
    let mut key = of_values(cgroup, owner_and_kind);
    if let Some(share) = PARTIES.value(&key) {
        renew(share);
        return 0;
    }
    key = crowd();
    let Some(share) = PARTIES.value_or_new(&key) else { return 1 };
    renew(share);
    add_one(&mut share.members);
    if get(&share.members) > MAX_NEW {
        return 1;
    }
    key = of_values(cgroup, owner_and_kind);
    if let Some(share) = PARTIES.value_or_new(&key) {
        renew(share);
    }
    0
}
}

/// The shared party of all excess new parties below the current task's cgroup at level 1.
#[inline(always)]
fn crowd() -> Party {
    Party { cgroup: ancestor_cgroup(1), owner: 0, kind: CROWD }
}

#[inline(always)]
fn renew(share: &mut PartyQuota) {
    let now = jiffies();
    if is_over(get(&share.since), now) {
        set(&mut share.since, now);
        set(&mut share.bytes, 0);
        set(&mut share.spare, 0);
        set(&mut share.kinds, 0);
        set(&mut share.members, 0);
    }
}

/// Whether a party may use `bytes` more of its part of the reserved room.
#[inline(always)]
pub(crate) fn is_small(share: &mut PartyQuota, bytes: u32) -> bool {
    if get(&share.bytes) >= SMALL {
        return false;
    }
    add(&mut share.bytes, u64::from(bytes));
    true
}

/// Whether there is room for a port event.
#[inline(always)]
pub(crate) fn admits_life(party: &Party, bytes: u32) -> bool {
    !has_little_room() || portbind_admit_small(party.cgroup, owner_and_kind(party), u64::from(bytes)) != 0
}

verified_once! {
/// 1 if a party may use `bytes` more of its part of the reserved room, else 0.
fn portbind_admit_small(cgroup, owner_and_kind, bytes) {
    let share = share(&of_values(cgroup, owner_and_kind));
    u64::from(share.is_some_and(|share| is_small(share, bytes as u32)))
}
}
