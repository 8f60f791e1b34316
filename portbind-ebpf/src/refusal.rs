//! One refusal, told step by step: who asked for what, who held it, how the call ended.
//!
//! Each refusal is counted once, where it is first met: at get_port's return if it got that far,
//! else at the call's return. `PENDING` carries the fact from the first to the second.

use portbind_ebpf::abi::{Header, Outcome, Refusal, Walk, counter, kind, operation, walk};

use crate::caller;
use crate::filter;
use crate::history;
use crate::holders::{self, Tables};
use crate::kernel::{Block, ByTask, Memory, Ptr, Slot, boot_time, count, current_ids, read_sockaddr, set};
use crate::maps::{PENDING, Pending};
use crate::sock::{AF_INET, Asked, Common, Sock, choose, is_v4, mapped, nonzero};
use crate::storm;

pub(crate) const EADDRINUSE: u32 = 98;

/// Fills in the header of a record of the current task, about what happened at `time` (nanoseconds since boot).
#[inline(always)]
pub(crate) fn header(to: &mut Header, kind: u32, time: u64) {
    to.kind = kind;
    to.reserved = 0;
    to.task = current_ids();
    to.time = time;
}

/// get_port returned `status` for `port`: the decision itself, made with the socket as it was asked.
#[inline(always)]
pub(crate) fn get_port_returned(sock: Sock, port: u16, status: i32, tables: Tables) {
    // 5.10 returns 1, later kernels -EADDRINUSE; both mean that the port was refused.
    if status == 0 || !filter::is_refusal(EADDRINUSE) {
        return;
    }
    let told = !storm::counts_only() && {
        let mut asked = asked(sock);
        asked.port = port;
        tell(&asked, true, tables)
    };
    let pending = Pending { sock: sock.0.0, told: u64::from(told) };
    let _ = PENDING.insert(current_ids(), pending, 0);
}

/// bind, listen or autobind returned `status`.
#[inline(always)]
pub(crate) fn call_returned(sock: Sock, address: Ptr, status: i32, operation: u32) {
    if status >= 0 {
        call_succeeded(sock, address, operation, Ptr::read);
        return;
    }
    let error = status.wrapping_neg() as u32;
    let task = current_ids();
    if let Some(pending) = PENDING.of_task(task)
        && pending.sock == sock.0.0
    {
        let _ = PENDING.remove(task);
        if pending.told != 0 {
            end(sock, error, operation, boot_time());
        }
        return;
    }
    if !filter::is_refusal(error) || !sock.is_internet() {
        return;
    }
    if storm::counts_only() {
        return;
    }
    let mut asked = asked(sock);
    ask_by_call(&mut asked, address, Memory::Kernel);
    if tell(&asked, false, Tables::Either) {
        end(sock, error, operation, boot_time());
    }
}

/// bind, listen or autobind went well.
#[inline(always)]
pub(crate) fn call_succeeded(sock: Sock, address: Ptr, operation: u32, read_port: impl Fn(Ptr, u32) -> u16) {
    // A listener is told by its change of state.
    if operation == operation::LISTEN || !sock.is_internet() {
        return;
    }
    let asked_port = if address.is_null() { 0 } else { u16::from_be(read_port(address, 2)) };
    history::bound(sock, asked_port, operation);
}

/// A bind or listen system call failed: the whole refusal at once, for the tracepoint backend.
#[inline(always)]
pub(crate) fn system_call_failed(sock: Sock, address: Ptr, error: u32, operation: u32) {
    let mut asked = asked(sock);
    ask_by_call(&mut asked, address, Memory::User);
    if tell(&asked, error == EADDRINUSE, Tables::Either) {
        end(sock, error, operation, asked.time);
    }
}

/// What a call asked for is in its sockaddr; one that has none (listen) asks for the socket's own address.
#[inline(always)]
fn ask_by_call(asked: &mut Asked, address: Ptr, memory: Memory) {
    // struct sockaddr_in: family and port, address at 4; sockaddr_in6: family and port, flow, address at 8.
    let [head, v4, v6 @ .., _] = read_sockaddr(address, memory);
    let is_v4 = is_v4(asked.family) | 1 ^ nonzero(u64::from(head as u16 ^ AF_INET));
    // Without a branch: the verifier would go through all that follows twice.
    let has_none = 1 ^ nonzero(address.0);
    let port = u64::from(u16::from_be((head >> 16) as u16));
    asked.port = (port | u64::from(asked.port).wrapping_mul(has_none)) as u16;
    asked.address = choose(has_none, asked.address, choose(is_v4, mapped(v4), v6));
}

/// What is asked for by the socket's own address and port, now.
#[inline(always)]
fn asked(sock: Sock) -> Asked {
    let mut room = Block::room();
    let common = Common::of(sock, &mut room);
    Asked {
        time: boot_time(),
        sock,
        address: common.local(),
        port: common.port(),
        protocol: sock.protocol(),
        netns: common.netns(),
        family: common.family(),
    }
}

/// Counts a refusal and, if it is wanted, sends the first steps. Returns whether it was sent.
#[inline(always)]
fn tell(asked: &Asked, walk_holders: bool, tables: Tables) -> bool {
    count(counter::REFUSED);
    if !filter::passes(asked) {
        count(counter::FILTERED);
        return false;
    }
    if !storm::admits(asked) {
        return false;
    }
    let Some(mut record) = Slot::<Refusal>::reserve() else {
        count(counter::LOST);
        return false;
    };
    header(&mut record.header, kind::REFUSAL, asked.time);
    caller::describe(&mut record.caller);
    // Read once more: kept, it would take the search's room on the stack.
    {
        let mut room = Block::room();
        let common = Common::of(asked.sock, &mut room);
        asked.sock.describe(&mut record.socket, &common, &asked.address, asked.port);
    }
    record.submit_step();

    // Taken before the search and handed over after it: the search counts in the record itself, because
    // the verifier would follow counters on the stack through every path, and give up.
    let Some(mut record) = Slot::<Walk>::reserve() else {
        count(counter::LOST_STEPS);
        return true;
    };
    header(&mut record.header, kind::WALK, asked.time);
    set(&mut record.holders, 0);
    set(&mut record.lost, 0);
    set(&mut record.bystanders, 0);
    set(&mut record.flags, 0);
    set(&mut record.met, 0);
    set(&mut record.steps, 0);
    if !walk_holders {
        set(&mut record.flags, walk::NOT_WALKED);
    } else if asked.port != 0 {
        holders::walk(asked, tables, &mut record);
    }
    record.submit_step();
    true
}

/// Sends the last step.
#[inline(always)]
fn end(sock: Sock, error: u32, operation: u32, time: u64) {
    let Some(mut record) = Slot::<Outcome>::reserve() else {
        count(counter::LOST_STEPS);
        return;
    };
    header(&mut record.header, kind::OUTCOME, time);
    record.error = error;
    record.operation = operation;
    record.socket = sock.0.0;
    record.submit();
}
