//! Port events: which process took a port, and what happened to the socket.

use portbind_abi::{Bound, Change, RING_HEADER_LEN, change, counter, kind, life, operation};

use crate::caller;
use crate::filter;
use crate::holders::bucket::is_connected_only;
use crate::kernel::clock::boot_time;
use crate::kernel::counters::count;
use crate::kernel::globals::at;
use crate::kernel::memory::{Ptr, room};
use crate::kernel::ring::Slot;
use crate::kernel::task::{copy_current_comm, current_task};
use crate::kernel::volatile::get;
use crate::maps::AWAITED;
use crate::party;
use crate::record::header;
use crate::sock::common::Common;
use crate::sock::handle::Sock;
use crate::sock::numbers::{TCP_CLOSE, TCP_LISTEN, foreign};

/// TCP states (include/net/tcp_states.h).
const TCP_ESTABLISHED: u8 = 1;
const TCP_SYN_SENT: u8 = 2;
const TCP_FIN_WAIT1: u8 = 4;

/// Called when a socket was bound, by a call that requested `asked_port`.
#[inline(always)]
pub(crate) fn bound(sock: Sock, asked_port: u16, call: u32) {
    let mut room = room();
    let common = Common::of(sock, &mut room);
    let (port, netns) = (common.port(), common.netns());
    // A bind that defers the choice of the port (IP_BIND_ADDRESS_NO_PORT) has taken no port yet.
    let wanted = if call == operation::AUTOBIND { life::CONNECTED } else { life::BOUND };
    if port == 0
        || foreign(common.family()) != 0
        || filter::is_ignored()
        || !filter::follows(wanted, port, netns)
    {
        return;
    }
    let time = boot_time();
    let caller = caller::current();
    caller::introduce(&caller, time);
    let is_admitted = party::admits_life(&caller.process.party, len::<Bound>());
    let Some(mut record) = is_admitted.then(Slot::<Bound>::reserve).flatten() else {
        count(counter::LOST_LIFE);
        return;
    };
    header(&mut record.header, kind::BOUND, time);
    caller::identify(&mut record.identity, &caller.process);
    common.describe_endpoint(&mut record.endpoint, sock, &sock.place(&common, port, netns));
    record.asked_port = asked_port;
    record.reserved = 0;
    record.operation = call;
    record.submit_for_later();
}

/// Called when the state of a TCP socket changes.
#[inline(always)]
pub(crate) fn state_changed(sock: Sock, old: u8, new: u8) {
    let what = match (old, new) {
        (_, TCP_LISTEN) => change::LISTENING,
        (_, TCP_FIN_WAIT1) => change::LEAVING,
        (_, TCP_CLOSE) => change::CLOSED,
        (_, TCP_SYN_SENT) => change::CONNECTING,
        (TCP_SYN_SENT, TCP_ESTABLISHED) => change::CONNECTED,
        _ => return,
    };
    let port = port_before(sock, old);
    let of_connect = what == change::CONNECTING || what == change::CONNECTED;
    if port == 0 && what != change::CONNECTING {
        return;
    }
    let wanted = if of_connect || of_connect_only(sock) { life::CONNECTED } else { life::BOUND };
    if filter::follows(wanted, port, sock.netns()) {
        emit(sock, what, port);
    }
}

/// The port of a socket. A listener's port that the kernel chose (bind to port 0) is released before the state changes,
/// but `inet_sport` still holds it (tcp_set_state in net/ipv4/tcp.c, __inet_put_port in net/ipv4/inet_hashtables.c).
/// The same happens to ports of connections, whose ends are not recorded.
#[inline(always)]
fn port_before(sock: Sock, old: u8) -> u16 {
    let port = sock.port();
    if port == 0 && old == TCP_LISTEN {
        return u16::from_be(sock.0.read(at!(inet_sport)));
    }
    port
}

/// Called when the last descriptor of a socket without state changes is closed, which releases the socket's port.
#[inline(always)]
pub(crate) fn released(sock: Sock) {
    let port = sock.port();
    if port != 0 && filter::follows(life::BOUND, port, sock.netns()) {
        emit(sock, change::CLOSED, port);
    }
}

/// Whether the socket got its port from connect(2) and shares the port with no bound socket.
#[inline(always)]
fn of_connect_only(sock: Sock) -> bool {
    let bucket = sock.0.follow(at!(sock_bind_hash));
    !bucket.is_null() && is_connected_only(bucket)
}

/// Bytes that a record takes in the ring buffer.
const fn len<T>() -> u32 {
    (RING_HEADER_LEN + size_of::<T>()) as u32
}

#[inline(always)]
fn emit(sock: Sock, what: u32, port: u16) {
    let is_admitted = party::admits_life(&party::of_socket(sock.owner()), len::<Change>());
    let Some(mut record) = is_admitted.then(Slot::<Change>::reserve).flatten() else {
        count(counter::LOST_LIFE);
        return;
    };
    header(&mut record.header, kind::CHANGE, boot_time());
    sock.describe_endpoint(&mut record.endpoint, port);
    let task = current_task();
    let leader: Ptr = task.follow(at!(task_group_leader));
    record.start_time = leader.read(at!(task_start_boottime));
    copy_current_comm(&mut record.comm);
    record.what = what;
    record.reserved = 0;
    if AWAITED.get(0).is_some_and(|awaited| get(awaited) != 0) {
        record.submit();
    } else {
        record.submit_for_later();
    }
}
