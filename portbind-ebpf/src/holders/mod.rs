//! The search for the sockets on a port, at the instant of the refusal.
//!
//! No lock is held: a chain can change under the walk and a socket can be freed and used anew. So
//! every step is bounded, every socket is checked for namespace and port before it is believed, and
//! what was cut short is said.

mod tcp;
mod udp;

use portbind_ebpf::abi::{Address, Holder, MAX_HOLDERS, counter, kind, walk};

use crate::kernel::{Ptr, Slot, at, count, jiffies};
use crate::refusal::header;
use crate::sock::{
    Asked, IPPROTO_MPTCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, Sock, TCP_LISTEN, TCP_TIME_WAIT, is_any,
};

/// What a search met.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) holders: u32,
    pub(crate) lost: u32,
    pub(crate) bystanders: u32,
    pub(crate) flags: u32,
}

/// Searches the table of the asked protocol.
#[inline(always)]
pub(crate) fn walk(asked: &Asked, tally: &mut Tally) {
    match asked.protocol {
        IPPROTO_TCP | IPPROTO_MPTCP => tcp::walk(asked, tally),
        IPPROTO_UDP | IPPROTO_UDPLITE => udp::walk(asked, tally),
        _ => tally.flags |= walk::NOT_WALKED,
    }
}

/// Two addresses that no rule of any kernel lets clash: both specific, and different.
const fn cannot_overlap(one: Address, other: Address) -> bool {
    !is_any(one)
        && !is_any(other)
        && !(one[0] == other[0] && one[1] == other[1] && one[2] == other[2] && one[3] == other[3])
}

/// Sends a socket that sits on the asked port, unless it cannot be in the way.
#[inline(never)]
fn met(sock: Sock, asked: &Asked, vrf: u32, flags: u32, tally: &mut Tally) {
    let family = sock.family();
    let address = sock.local(family);
    if cannot_overlap(address, asked.address) {
        tally.bystanders += 1;
        return;
    }
    if tally.holders >= MAX_HOLDERS {
        tally.flags |= walk::TRUNCATED;
        return;
    }
    if send(sock, family, address, asked.port, vrf, flags) {
        tally.holders += 1;
    } else {
        tally.lost += 1;
        count(counter::LOST_STEPS);
    }
}

/// Sends one holder; `false` if the ring buffer is full.
#[inline(always)]
fn send(sock: Sock, family: u16, address: Address, port: u16, vrf: u32, flags: u32) -> bool {
    let Some(mut record) = Slot::<Holder>::reserve() else {
        return false;
    };
    header(&mut record.header, kind::HOLDER);
    sock.describe(&mut record.socket, family, address, port);
    record.jiffies_left = 0;
    record.backlog = 0;
    record.max_backlog = 0;
    record.vrf = vrf;
    record.flags = flags;
    record.reserved = 0;
    match record.socket.state {
        TCP_TIME_WAIT => {
            let expires = sock.0.read::<u64>(at!(time_wait_expires));
            record.jiffies_left = expires.wrapping_sub(jiffies()) as i64;
        }
        TCP_LISTEN => {
            record.backlog = sock.0.read(at!(sock_ack_backlog));
            record.max_backlog = sock.0.read(at!(sock_max_ack_backlog));
            record.flags |= sock.ownership(record.socket.protocol);
        }
        _ => record.flags |= sock.ownership(record.socket.protocol),
    }
    record.submit();
    true
}

/// The socket whose list node lies at `node`, if it is of the asked namespace and port and not the refused one.
#[inline(always)]
fn on_port(node: Ptr, node_offset: u32, asked: &Asked, net: Ptr) -> Option<Sock> {
    let sock = Sock(Ptr(node.0.wrapping_sub(node_offset as u64)));
    let is_torn = !sock.is_internet();
    if is_torn || sock.0 == asked.sock.0 || sock.port() != asked.port || sock.net() != net {
        return None;
    }
    Some(sock)
}
