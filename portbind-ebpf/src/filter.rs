//! Filters: which refusals are reported. Every test reads a read-only global, so a filter that is off costs nothing.

use portbind_abi::{ERROR_WORDS, protocol};

use crate::descendants;
use crate::kernel::globals::{FILTER, at, global};
use crate::kernel::ports::wanted_ports;
use crate::kernel::task::{current_pid, current_task};
use crate::kernel::volatile::opaque;
use crate::sock::asked::Asked;
use crate::sock::bits::nonzero;
use crate::sock::numbers::{AF_NETLINK, AF_UNIX, AF_VSOCK};

/// Error numbers are below this limit (`MAX_ERRNO` is 4095; the existing ones end at 133).
const ERRORS: u32 = ERROR_WORDS as u32 * 64;

/// Whether an error counts as a refusal.
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

/// Whether the filters depend on more than the process.
#[inline(always)]
pub(crate) fn is_by_socket() -> bool {
    global(&FILTER.ports) != 0
        || global(&FILTER.netns) != 0
        || global(&FILTER.protocols) != 0
        || global(&FILTER.comm_mask[0]) != 0
}

/// Whether a refusal passes the filters.
#[inline(always)]
pub(crate) fn passes(asked: &Asked) -> bool {
    is_wanted_port(asked.port) && is_wanted(asked.netns, protocol_bit(asked.protocol))
}

#[inline(always)]
fn is_wanted_port(port: u16) -> bool {
    global(&FILTER.ports) == 0 || wanted_ports(port) >> (port & 63) & 1 == 1
}

/// Whether a refusal of a portless socket passes the filters: none does if the filters name ports.
#[inline(always)]
pub(crate) fn passes_portless(family: u16, netns: u32) -> bool {
    global(&FILTER.ports) == 0 && is_wanted(netns, family_bit(family))
}

/// Whether a refusal passes all filters but the port filter.
#[inline(always)]
fn is_wanted(in_netns: u32, protocol: u32) -> bool {
    let wanted_pid = global(&FILTER.pid);
    if wanted_pid != 0 && current_pid() != wanted_pid {
        return false;
    }
    if global(&FILTER.descendants) != 0 && !descendants::has_current() {
        return false;
    }
    let netns = global(&FILTER.netns);
    if netns != 0 && in_netns != netns {
        return false;
    }
    let protocols = global(&FILTER.protocols);
    if protocols != 0 && protocol & protocols == 0 {
        return false;
    }
    global(&FILTER.comm_mask[0]) == 0 || has_wanted_comm()
}

/// Whether the current process is portbind itself, whose calls are neither reported nor counted: portbind searches for
/// a free port by trial.
#[inline(always)]
pub(crate) fn is_ignored() -> bool {
    let ignored = global(&FILTER.ignored_pid);
    ignored != 0 && current_pid() == ignored
}

/// Whether to record a port event. Events in portbind's own context are recorded, too: on older kernels portbind reads
/// the open files one by one (`bpf_iter_task_file`) and may drop the last reference to another process's socket, which
/// then ends in portbind's context. The process that took the port does not matter: any process can hold a port that a
/// wanted caller requests.
#[inline(always)]
pub(crate) fn follows(what: u32, port: u16, netns: u32) -> bool {
    if global(&FILTER.life) & what == 0 {
        return false;
    }
    let wanted = global(&FILTER.netns);
    (wanted == 0 || wanted == netns) && is_wanted_port(port)
}

/// Bit of a protocol in the filter (IPPROTO_*, include/uapi/linux/in.h).
#[inline(always)]
fn protocol_bit(number: u16) -> u32 {
    match number {
        6 => protocol::TCP,
        17 => protocol::UDP,
        262 => protocol::MPTCP,
        1 | 58 => protocol::PING,
        132 => protocol::SCTP,
        136 => protocol::UDPLITE,
        _ => protocol::OTHER,
    }
}

/// Bit of a non-internet address family.
#[inline(always)]
fn family_bit(family: u16) -> u32 {
    match family {
        AF_UNIX => protocol::UNIX,
        AF_NETLINK => protocol::NETLINK,
        AF_VSOCK => protocol::VSOCK,
        _ => protocol::OTHER,
    }
}

/// Whether the current thread, or its process, has the wanted name.
#[inline(always)]
fn has_wanted_comm() -> bool {
    let task = current_task();
    let leader = task.follow(at!(task_group_leader));
    let thread = difference(task.read(at!(task_comm)));
    let process = difference(leader.read(at!(task_comm)));
    opaque(nonzero(thread) & nonzero(process)) == 0
}

/// The bits in which a name differs from the wanted one.
#[inline(always)]
fn difference(comm: [u64; 2]) -> u64 {
    let word = |index: usize| (comm[index] ^ global(&FILTER.comm[index])) & global(&FILTER.comm_mask[index]);
    word(0) | word(1)
}
