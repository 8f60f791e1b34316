//! Which refusals are told. Every test is against a read-only global: what is off costs nothing.

use portbind_ebpf::abi::{COMM_LEN, ERROR_WORDS, protocol};

use crate::kernel::{FILTER, at, current_ids, current_task, global, wanted_ports};
use crate::sock::Asked;

/// Errors of the kernel are below this (`MAX_ERRNO` is 4095; those that exist end at 133).
const ERRORS: u32 = ERROR_WORDS as u32 * 64;

/// Whether an error counts as a refusal at all.
#[inline(always)]
pub(crate) fn is_refusal(error: u32) -> bool {
    let word = match error {
        0 => return false,
        1..64 => global(&FILTER.errors[0]),
        64..128 => global(&FILTER.errors[1]),
        128..ERRORS => global(&FILTER.errors[2]),
        _ => return false,
    };
    word >> (error & 63) & 1 == 1
}

/// Whether a refusal passes the filters.
#[inline(always)]
pub(crate) fn passes(asked: &Asked) -> bool {
    let pid = (current_ids() >> 32) as u32;
    if pid == global(&FILTER.ignored_pid) && pid != 0 {
        return false;
    }
    let wanted_pid = global(&FILTER.pid);
    if wanted_pid != 0 && pid != wanted_pid {
        return false;
    }
    let netns = global(&FILTER.netns);
    if netns != 0 && asked.netns != netns {
        return false;
    }
    let protocols = global(&FILTER.protocols);
    if protocols != 0 && protocol_bit(asked.protocol) & protocols == 0 {
        return false;
    }
    if global(&FILTER.ports) != 0 && wanted_ports(asked.port) >> (asked.port & 63) & 1 == 0 {
        return false;
    }
    global(&FILTER.comm_len) == 0 || has_wanted_comm()
}

/// Bit of a protocol in the filter (IPPROTO_*, include/uapi/linux/in.h).
#[inline(always)]
fn protocol_bit(number: u16) -> u32 {
    match number {
        6 => protocol::TCP,
        17 => protocol::UDP,
        262 => protocol::MPTCP,
        1 | 58 => protocol::PING,
        136 => protocol::UDPLITE,
        _ => protocol::OTHER,
    }
}

/// The thread, or the process it belongs to, has the wanted name.
#[inline(always)]
fn has_wanted_comm() -> bool {
    let task = current_task();
    let leader = task.follow(at!(task_group_leader));
    is_wanted(task.read(at!(task_comm))) || is_wanted(leader.read(at!(task_comm)))
}

#[inline(always)]
fn is_wanted(comm: [u8; COMM_LEN]) -> bool {
    let len = global(&FILTER.comm_len);
    let mut index = 0;
    while index < COMM_LEN {
        // One past the wanted name has to be the NUL.
        if index as u32 <= len && comm[index] != global(&FILTER.comm[index]) {
            return false;
        }
        index += 1;
    }
    true
}
