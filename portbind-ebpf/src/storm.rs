//! Storms: refusals that arrive faster than user space reads them. Equal refusals are counted instead of sent, if
//! coalescing is on or the ring buffer has little room; no process gets more than its quota of searches and records.

use portbind_abi::{Count, MAX_KINDS, PartyQuota, Quota, RefusalKey, Sample, WINDOW, counter};

use crate::caller::Caller;
use crate::filter;
use crate::kernel::atomic::{add, add_one};
use crate::kernel::clock::jiffies;
use crate::kernel::counters::count;
use crate::kernel::globals::{FILTER, at, global};
use crate::kernel::ring::waiting_bytes;
use crate::kernel::task::{current_owner, current_pid, current_task};
use crate::kernel::values::{InPlace, InPlaceOrNew};
use crate::kernel::verified_once;
use crate::kernel::volatile::{get, set};
use crate::little_room::{HARDLY_ANY, has_little_room};
use crate::maps::{COUNTS, PARTIES, QUOTAS};
use crate::party;
use crate::sock::asked::Asked;
use crate::window::is_over;

/// Refusals of one process that are examined in one window: checking one costs the process a microsecond, collecting
/// evidence costs more, and the process must not be slowed down for long. All refusals are examined if a filter depends
/// on more than the process, or without bpf_loop (before 5.17).
const SHARE: u64 = 8000;
/// Refusals of one process that are sent in one window while there is little room and its party has used its part.
const FEW: u64 = 64;
/// Bytes of the ring buffer that a party gets in one window for processes with few refusals.
const SPARE: u64 = 128 << 10;

/// Counts a refusal without examining it, if its process has used its quota. Returns whether the refusal was counted.
#[inline(always)]
pub(crate) fn counts_only() -> bool {
    // A refusal that a filter may drop must be examined. Without bpf_loop (before 5.17), one more path to the search
    // exceeds the verifier's limits.
    if cfg!(feature = "bounded") || filter::is_by_socket() || filter::is_ignored() {
        return false;
    }
    let Some(share) = QUOTAS.value(&current_pid()) else { return false };
    let now = jiffies();
    if get(&share.looked) < SHARE || is_over(get(&share.since), now) {
        return false;
    }
    count(counter::REFUSED);
    add_to_share(share, now);
    true
}

/// Counts a refusal if coalescing is on and enough equal refusals were sent in this window. Returns whether the refusal
/// was counted.
#[inline(always)]
pub(crate) fn is_one_more(asked: &Asked) -> bool {
    let [first, second, place, family, time] = asked.values();
    let is_counted = portbind_is_one_more(first, second, place, family, time) != 0;
    if is_counted {
        count(counter::COALESCED);
    }
    is_counted
}

verified_once! {
/// [`is_one_more`] for the values of [`Asked::values`].
fn portbind_is_one_more(first, second, place, family, time) {
    let asked = Asked::of_values([first, second, place, family, time]);
    take_quota(&asked);
    let burst = u64::from(global(&FILTER.burst));
    if burst == 0 {
        return 0;
    }
    let now = jiffies();
    let Some(often) = COUNTS.value_or_new(&key_of(&asked)) else { return 0 };
    begin(often, &asked, now);
    if get(&often.sent) < burst {
        add_one(&mut often.sent);
        return 0;
    }
    add_to(often, time);
    1
}
}

/// Counts a refusal that found no room and has no kind, in the quota of its process.
#[inline(always)]
pub(crate) fn count_of_process(asked: &Asked, caller: &Caller) {
    take_quota(asked);
    match QUOTAS.value(&current_pid()) {
        Some(share) => add_to_share(share, jiffies()),
        None => lose_of(party::share(&caller.process.party)),
    }
}

#[inline(always)]
fn add_to_share(share: &mut Quota, now: u64) {
    if is_over(get(&share.last), now) {
        set(&mut share.first, now);
    }
    set(&mut share.last, now);
    add_one(&mut share.more);
    count(counter::COALESCED);
}

/// Records in the quota that a refusal of the current process was examined.
#[inline(always)]
fn take_quota(asked: &Asked) {
    let (process, now) = (current_pid(), jiffies());
    let Some(share) = QUOTAS.value_or_new(&process) else { return };
    if is_over(get(&share.since), now) {
        set(&mut share.since, now);
        set(&mut share.time, asked.time);
        set(&mut share.looked, 0);
        set(&mut share.sent, 0);
        describe(&mut share.sample, asked);
    }
    add_one(&mut share.looked);
}

/// Whether there is room for a refusal of `bytes` bytes.
#[inline(always)]
pub(crate) fn admits(caller: &Caller, bytes: u32) -> bool {
    let party = &caller.process.party;
    !has_little_room() || portbind_admit(party.cgroup, party::owner_and_kind(party), u64::from(bytes)) != 0
}

verified_once! {
/// 1 if a party may send `bytes` more while there is little room, else 0.
fn portbind_admit(cgroup, owner_and_kind, bytes) {
    let Some(share) = party::share(&party::of_values(cgroup, owner_and_kind)) else { return 0 };
    let is_admitted = party::is_small(share, bytes as u32)
        || (waiting_bytes() <= HARDLY_ANY && is_of_few(share, bytes as u32));
    u64::from(is_admitted)
}
}

/// Whether the refusal is among the first [`FEW`] of its process and the party has spare bytes left.
#[inline(always)]
fn is_of_few(party: &mut PartyQuota, bytes: u32) -> bool {
    if get(&party.spare) >= SPARE {
        return false;
    }
    if let Some(process) = QUOTAS.value(&current_pid()) {
        if get(&process.sent) >= FEW {
            return false;
        }
        add_one(&mut process.sent);
    }
    add(&mut party.spare, u64::from(bytes));
    true
}

/// Charges the party for the bytes that a refusal took beyond those it was admitted with, because it has many holders.
#[inline(always)]
pub(crate) fn charge(caller: &Caller, bytes: u32) {
    if bytes > 0
        && has_little_room()
        && let Some(share) = PARTIES.value(&caller.process.party)
    {
        add(&mut share.bytes, u64::from(bytes));
    }
}

/// Counts a refusal that found no room, with its equal refusals. If the map of kinds is full, or the party has too many
/// kinds, the refusal is counted in the quota of its process; if the process has no quota either, it is lost.
#[inline(always)]
pub(crate) fn count_equal(asked: &Asked, caller: &Caller) {
    let [first, second, place, family, time] = asked.values();
    let party = &caller.process.party;
    let (cgroup, owner_and_kind) = (party.cgroup, party::owner_and_kind(party));
    // Called one after the other, not nested: the stack frames of functions that call each other add up.
    if portbind_count_known(first, second, place, time) != 0
        || (portbind_admit_kind(cgroup, owner_and_kind) != 0
            && portbind_count_new(first, second, place, family, time) != 0)
    {
        count(counter::COALESCED);
    } else if let Some(share) = QUOTAS.value(&current_pid()) {
        add_to_share(share, jiffies());
    } else {
        portbind_lose(cgroup, owner_and_kind);
    }
}

verified_once! {
/// Counts a refusal with its equal refusals, given [`Asked::values`] without the family. Returns whether any exist.
fn portbind_count_known(first, second, place, time) {
    let asked = Asked::of_values([first, second, place, 0, time]);
    let Some(often) = COUNTS.value(&key_of(&asked)) else { return 0 };
    add_to(often, time);
    1
}
}

verified_once! {
/// Counts a refusal as the first of its kind, given [`Asked::values`]. Returns whether there was room for another kind.
fn portbind_count_new(first, second, place, family, time) {
    let asked = Asked::of_values([first, second, place, family, time]);
    let Some(often) = COUNTS.value_or_new(&key_of(&asked)) else { return 0 };
    begin(often, &asked, jiffies());
    add_to(often, time);
    1
}
}

verified_once! {
/// 1 if a party may have one more kind of refusals, else 0.
fn portbind_admit_kind(cgroup, owner_and_kind) {
    let Some(share) = party::share(&party::of_values(cgroup, owner_and_kind)) else { return 0 };
    if get(&share.kinds) >= MAX_KINDS {
        return 0;
    }
    add_one(&mut share.kinds);
    1
}
}

verified_once! {
/// Counts a lost refusal of a party. Returns 0.
fn portbind_lose(cgroup, owner_and_kind) {
    lose_of(party::share(&party::of_values(cgroup, owner_and_kind)));
    0
}
}

/// Counts a lost refusal.
#[inline(always)]
fn lose_of(party: Option<&mut PartyQuota>) {
    if let Some(party) = party {
        add_one(&mut party.lost);
    }
    count(counter::LOST);
}

#[inline(always)]
fn add_to(often: &mut Count, time: u64) {
    if time.wrapping_sub(get(&often.last)) > WINDOW {
        set(&mut often.first, time);
    }
    set(&mut often.last, time);
    add_one(&mut often.more);
}

/// Begins a new window, if the last one is over.
#[inline(always)]
fn begin(often: &mut Count, asked: &Asked, now: u64) {
    if is_over(get(&often.since), now) {
        set(&mut often.since, now);
        set(&mut often.sent, 0);
        describe(&mut often.sample, asked);
    }
}

#[inline(always)]
fn describe(sample: &mut Sample, asked: &Asked) {
    let comm = current_task().read::<[u64; 2]>(at!(task_comm));
    set(&mut sample.address, asked.address);
    set(&mut sample.comm, comm);
    set(&mut sample.netns, asked.netns);
    set(&mut sample.uid, current_owner() as u32);
    set(&mut sample.family, asked.family);
    set(&mut sample.port, asked.port);
    set(&mut sample.protocol, asked.protocol);
}

#[inline(always)]
fn key_of(asked: &Asked) -> RefusalKey {
    RefusalKey {
        address: asked.address,
        pid: u64::from(current_pid()),
        netns: asked.netns,
        port: asked.port,
        protocol: asked.protocol,
    }
}
