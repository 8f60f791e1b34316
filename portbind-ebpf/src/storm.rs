//! Where refusals come faster than anybody reads: those that are alike are counted instead, if that is wanted, and
//! nobody gets more than a share of what can be looked at and told.

use portbind_ebpf::abi::{Alike, Often, RING_BYTES, Share, counter};

use crate::filter;
use crate::kernel::{FILTER, InPlace, add_one, count, current_pid, get, global, jiffies, set, waiting_bytes};
use crate::maps::{ALIKE, SHARES};
use crate::sock::Asked;

/// Refusals of one process that are looked at, and told, in a window of time: a look costs it a microsecond, evidence some
/// more, and that must not slow it down for good. All are looked at where a filter asks for more than the process, or
/// loops are no functions.
const SHARE: u64 = 8000;
/// Refusals of one process that are told in it while room is scarce: it is for the others.
const SCARCE_SHARE: u64 = 64;
/// Room is scarce while this much of the ring buffer is not read yet.
const SCARCE: u64 = RING_BYTES as u64 / 4 * 3;

/// Counts a refusal without a look at it, if its process has had its share. Returns whether it did.
#[inline(always)]
pub(crate) fn counts_only() -> bool {
    // What a filter may keep back has to be looked at. Where loops are no functions, one more way to the search is more
    // than the verifier goes through.
    if cfg!(feature = "bounded") || filter::is_by_socket() {
        return false;
    }
    let Some(share) = SHARES.value(&current_pid()) else { return false };
    if get(&share.looked) < SHARE || is_over(get(&share.since), jiffies()) {
        return false;
    }
    count(counter::REFUSED);
    if global(&FILTER.burst) != 0 {
        add_one(&mut share.more);
        count(counter::COALESCED);
    } else {
        count(counter::LOST);
    }
    true
}

/// Whether one more refusal is told; if not, it is in the account.
#[inline(always)]
pub(crate) fn admits(asked: &Asked) -> bool {
    let now = jiffies();
    let process = current_pid();
    let Some(share) = SHARES.value(&process) else {
        let _ = SHARES.insert(process, Share { since: now, looked: 1, told: 1, more: 0 }, 0);
        return global(&FILTER.burst) == 0 || !is_one_more(asked, now);
    };
    if is_over(get(&share.since), now) {
        set(&mut share.since, now);
        set(&mut share.looked, 0);
        set(&mut share.told, 0);
    }
    add_one(&mut share.looked);
    if global(&FILTER.burst) != 0 && is_one_more(asked, now) {
        return false;
    }
    let most = if waiting_bytes() > SCARCE { SCARCE_SHARE } else { SHARE };
    if get(&share.told) >= most {
        count(counter::LOST);
        return false;
    }
    add_one(&mut share.told);
    true
}

/// Enough of those that are alike were told in this window of time: it was counted.
#[inline(always)]
fn is_one_more(asked: &Asked, now: u64) -> bool {
    let alike = Alike {
        address: asked.address,
        pid: u64::from(current_pid()),
        netns: asked.netns,
        port: asked.port,
        protocol: asked.protocol,
    };
    let Some(often) = ALIKE.value(&alike) else {
        let _ = ALIKE.insert(alike, Often { since: now, told: 1, more: 0 }, 0);
        return false;
    };
    if is_over(get(&often.since), now) {
        set(&mut often.since, now);
        set(&mut often.told, 1);
        return false;
    }
    if get(&often.told) < u64::from(global(&FILTER.burst)) {
        add_one(&mut often.told);
        return false;
    }
    add_one(&mut often.more);
    count(counter::COALESCED);
    true
}

/// Whether a window of time has passed. Ticks are exact enough, and reading a clock would cost as much as all else.
#[inline(always)]
fn is_over(since: u64, now: u64) -> bool {
    now.wrapping_sub(since) > global(&FILTER.window)
}
