//! One refusal: the caller, its request, the result of the call, and the holders.

use portbind_abi::{ONE_HOLDER_LEN, PROOF_ADDRESS, counter, kind, operation, walk as flag};

use crate::caller::{self, Caller};
use crate::filter;
use crate::history;
use crate::holders::{self, Tables};
use crate::kernel::clock::boot_time;
use crate::kernel::counters::count;
use crate::kernel::memory::{Memory, Ptr, read_sockaddr, room};
use crate::kernel::volatile::{opaque, set};
use crate::record::header;
use crate::scratch::shape::{Place, Scratch};
use crate::sock::address::{choose, differ, mapped};
use crate::sock::asked::Asked;
use crate::sock::bits::nonzero;
use crate::sock::common::{Common, Whole};
use crate::sock::handle::Sock;
use crate::sock::numbers::{AF_INET, is_v4};
use crate::storm;

pub(crate) const EADDRINUSE: u32 = 98;
/// The error that a refused autobind returns (inet_autobind, net/ipv4/af_inet.c).
const EAGAIN: u32 = 11;

/// Bytes that a refusal usually takes in the ring buffer: few have more than one holder.
const MOST_OFTEN_LEN: u32 = ONE_HOLDER_LEN as u32;

/// Called when get_port refused a port to the call `operation`. The error that this call will return is known
/// (__inet_bind, inet_autobind and __inet_listen_sk in net/ipv4/af_inet.c). Returns whether the refusal was counted.
#[inline(always)]
pub(crate) fn port_refused(sock: Sock, address: Ptr, operation: u32) -> bool {
    if !filter::is_refusal(EADDRINUSE) {
        return false;
    }
    if !storm::counts_only() {
        // Without a branch: the verifier would go through the search once for each operation.
        let is_autobind = 1 ^ nonzero(u64::from(operation ^ operation::AUTOBIND)) as u32;
        let error = EADDRINUSE.wrapping_mul(1 ^ is_autobind) | EAGAIN.wrapping_mul(is_autobind);
        let call = FailedCall { address, memory: Memory::Kernel, error, operation };
        call_failed(sock, &call, || true, Search::EITHER);
    }
    true
}

/// Called when bind, listen or autobind returned `status` and get_port was not traced: all evidence is still there when
/// the call returns.
///
/// `status` is called again at each use, so that the verifier forgets what an earlier comparison revealed about the
/// value.
#[inline(always)]
pub(crate) fn call_returned(
    sock: Sock,
    address: Ptr,
    status: impl Fn() -> i32,
    operation: u32,
    search: Search,
) {
    if status() >= 0 {
        call_succeeded(sock, address, operation, Memory::Kernel);
        return;
    }
    let failed = || {
        let error = status().wrapping_neg() as u32;
        FailedCall { address, memory: Memory::Kernel, error, operation }
    };
    if failed().is_wanted() && sock.is_internet() && !storm::counts_only() {
        let call = failed();
        call_failed(sock, &call, || call.is_of_port(), search);
    }
}

/// Called when bind, listen or autobind succeeded.
#[inline(always)]
pub(crate) fn call_succeeded(sock: Sock, address: Ptr, operation: u32, memory: Memory) {
    // A listener is reported by its change of state.
    if operation == operation::LISTEN {
        return;
    }
    let asked_port = if address.is_null() { 0 } else { u16::from_be(address.read_in(memory, 2)) };
    history::bound(sock, asked_port, operation);
}

/// How a program searches for the holders of a port.
#[derive(Clone, Copy)]
pub(crate) struct Search {
    pub(crate) tables: Tables,
    /// The scratch memory in which the program assembles the refusal.
    pub(crate) place: Place,
}

impl Search {
    /// For programs that are never interrupted.
    pub(crate) const EITHER: Self = Self { tables: Tables::Either, place: Place::First };
    /// Like [`Self::EITHER`], for calls whose holders are unknown: no search.
    pub(crate) const FOREIGN: Self = Self { tables: Tables::Foreign, place: Place::First };
}

/// A call that failed.
pub(crate) struct FailedCall {
    /// Its sockaddr; null if it has none.
    pub(crate) address: Ptr,
    /// The memory that holds the sockaddr.
    pub(crate) memory: Memory,
    /// The error that the caller gets.
    pub(crate) error: u32,
    pub(crate) operation: u32,
}

impl FailedCall {
    /// Whether the port was refused.
    #[inline(always)]
    fn is_of_port(&self) -> bool {
        self.error == EADDRINUSE || (self.operation == operation::AUTOBIND && self.error == EAGAIN)
    }

    /// Whether the error counts as a refusal.
    #[inline(always)]
    fn is_wanted(&self) -> bool {
        filter::is_refusal(if self.is_of_port() { EADDRINUSE } else { self.error })
    }
}

/// Called when a call on an internet socket failed. `is_of_port`: the port was refused, so there are holders.
#[inline(always)]
pub(crate) fn call_failed(sock: Sock, call: &FailedCall, is_of_port: impl Fn() -> bool, search: Search) {
    let mut asked = asked(sock);
    ask_by_call(&mut asked, call.address, call.memory);
    if opaque(differ(&asked.address, &PROOF_ADDRESS)) == 0 {
        count(counter::PROOFS);
        return;
    }
    if filter::is_ignored() {
        return;
    }
    count(counter::REFUSED);
    if !filter::passes(&asked) {
        count(counter::FILTERED);
    } else if !storm::is_one_more(&asked) {
        let caller = caller::current();
        let is_sent =
            storm::admits(&caller, MOST_OFTEN_LEN) && send(&asked, &caller, call, is_of_port, search);
        if !is_sent {
            storm::count_equal(&asked, &caller);
        }
    }
}

/// Reads the requested address from the call's sockaddr; a call without one (listen) requests the socket's own address.
#[inline(always)]
fn ask_by_call(asked: &mut Asked, address: Ptr, memory: Memory) {
    // struct sockaddr_in: family and port, address at 4; sockaddr_in6: family and port, flow, address at 8.
    let [head, v4, v6 @ .., _] = read_sockaddr(address, memory);
    let is_v4 = is_v4(asked.family) | 1 ^ nonzero(u64::from(head as u16 ^ AF_INET));
    // Without a branch: the verifier would go through the following code twice.
    let has_none = 1 ^ nonzero(address.0);
    let port = u64::from(u16::from_be((head >> 16) as u16));
    asked.port = (port | u64::from(asked.port).wrapping_mul(has_none)) as u16;
    asked.address = choose(has_none, asked.address, choose(is_v4, mapped(v4), v6));
}

/// The request as the socket's own address and port state it now.
#[inline(always)]
fn asked(sock: Sock) -> Asked {
    let mut room = room();
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

/// Sends a refusal with its holders; `false` if there is no room for the whole record.
#[inline(always)]
fn send(
    asked: &Asked,
    caller: &Caller,
    call: &FailedCall,
    is_of_port: impl Fn() -> bool,
    search: Search,
) -> bool {
    caller::introduce(caller, asked.time);
    let Some(to) = Scratch::take(search.place) else { return false };
    header(&mut to.refusal.header, kind::REFUSAL, asked.time);
    caller::identify(&mut to.refusal.identity, &caller.process);
    set(&mut to.refusal.error, call.error);
    set(&mut to.refusal.operation, call.operation);
    describe(asked, to);
    if !is_of_port() || search.tables == Tables::Foreign {
        set(&mut to.refusal.flags, flag::NOT_WALKED);
    } else if search.tables != Tables::None && asked.port != 0 {
        holders::walk(asked, search.tables, to);
    }
    let bytes = to.refusal.bytes() as u32;
    let is_sent = to.send();
    storm::charge(caller, bytes.saturating_sub(MOST_OFTEN_LEN));
    is_sent
}

/// Describes the refused socket.
#[inline(always)]
fn describe(asked: &Asked, to: &mut Scratch) {
    Whole::to(&mut to.walk.sock, asked.sock).describe_asked(&mut to.refusal.socket, asked);
}
