//! Where refusals come faster than anybody reads: those that are alike are counted instead, if that is wanted, and
//! nobody gets more than a share of what can be told.

use portbind_ebpf::abi::{Alike, Often, RING_BYTES, WINDOW, counter};

use crate::kernel::{
    FILTER, InPlace, add_one, boot_time, count, current_ids, get, global, set, waiting_bytes,
};
use crate::maps::{ALIKE, SHARES, Share};
use crate::sock::Asked;

/// Refusals of one process that are told in a [`WINDOW`]: evidence costs it some microseconds each, and must not slow
/// it down for good.
const SHARE: u64 = 8000;
/// The same while room is scarce: it is for the others.
const SCARCE_SHARE: u64 = 64;
/// Room is scarce while this much of the ring buffer is not read yet.
const SCARCE: u64 = RING_BYTES as u64 / 4 * 3;

/// Whether one more refusal is told; if not, it is in the account.
#[inline(always)]
pub(crate) fn admits(asked: &Asked) -> bool {
    if global(&FILTER.burst) != 0 && is_one_more(asked) {
        count(counter::COALESCED);
        return false;
    }
    if !is_within_share() {
        count(counter::LOST);
        return false;
    }
    true
}

/// Enough of those that are alike were told in this window of time.
#[inline(always)]
fn is_one_more(asked: &Asked) -> bool {
    let alike = Alike {
        address: asked.address,
        pid: current_ids() >> 32,
        netns: asked.netns,
        port: asked.port,
        protocol: asked.protocol,
    };
    let now = boot_time();
    let Some(often) = ALIKE.value(&alike) else {
        let _ = ALIKE.insert(alike, Often { since: now, told: 1, more: 0 }, 0);
        return false;
    };
    if now.wrapping_sub(get(&often.since)) > WINDOW {
        set(&mut often.since, now);
        set(&mut often.told, 1);
        return false;
    }
    if get(&often.told) < u64::from(global(&FILTER.burst)) {
        add_one(&mut often.told);
        return false;
    }
    add_one(&mut often.more);
    true
}

/// The process has had less than its share.
#[inline(always)]
fn is_within_share() -> bool {
    let pid = (current_ids() >> 32) as u32;
    let now = boot_time();
    let Some(share) = SHARES.value(&pid) else {
        let _ = SHARES.insert(pid, Share { since: now, told: 1 }, 0);
        return true;
    };
    if now.wrapping_sub(get(&share.since)) > WINDOW {
        set(&mut share.since, now);
        set(&mut share.told, 1);
        return true;
    }
    let most = if waiting_bytes() > SCARCE { SCARCE_SHARE } else { SHARE };
    if get(&share.told) >= most {
        return false;
    }
    add_one(&mut share.told);
    true
}
