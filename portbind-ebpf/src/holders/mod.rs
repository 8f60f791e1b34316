//! The search for the sockets on a port, at the instant of the refusal.
//!
//! No lock is held: a chain can change under the walk and a socket can be freed and used anew. So
//! every step is bounded, every socket is checked for namespace and port before it is believed, and
//! what was cut short is said.

mod tcp;
mod udp;

pub(crate) use tcp::is_connected_only;

use portbind_ebpf::abi::{Holder, MAX_HOLDERS, Walk, counter, kind, walk as flag};

use crate::kernel::{Ptr, Slot, Step, at, count, get, increment, jiffies, opaque, repeat, set};
use crate::refusal::header;
use crate::sock::{
    Asked, IPPROTO_MPTCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, Sock, differ, foreign, nonzero, specific,
};

/// Tables of sockets that a program can come to search. Told by its hook, so that what it cannot need is left out of
/// it: a search is most of a program, which has to be verified and compiled before tracing can begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    Tcp,
    Udp,
    Either,
}

/// Searches the table of the asked protocol, then sends what was found: the search itself is kept
/// short, because the verifier walks through every step of it.
#[inline(always)]
pub(crate) fn walk(asked: &Asked, tables: Tables, walk: &mut Walk) {
    let vrf = match asked.protocol {
        IPPROTO_TCP | IPPROTO_MPTCP if tables != Tables::Udp => tcp::walk(asked, walk),
        IPPROTO_UDP | IPPROTO_UDPLITE if tables != Tables::Tcp => udp::walk(asked, walk),
        _ => {
            add_flag(walk, flag::NOT_WALKED);
            return;
        }
    };
    repeat(MAX_HOLDERS, &mut Telling { walk, port: asked.port, time: asked.time, vrf, index: 0 });
}

/// Sends the sockets that were met, one after the other.
struct Telling<'a> {
    walk: &'a mut Walk,
    port: u16,
    time: u64,
    vrf: u32,
    index: u32,
}

impl Step for Telling<'_> {
    #[inline(always)]
    fn step(&mut self) -> bool {
        let index = self.index;
        if index >= MAX_HOLDERS || index >= get(&self.walk.met) {
            return false;
        }
        let sock = Sock(Ptr(self.walk.found[index as usize]));
        if self.send(sock) {
            increment(&mut self.walk.holders);
        } else {
            increment(&mut self.walk.lost);
            count(counter::LOST_STEPS);
        }
        self.index = index + 1;
        true
    }
}

impl Telling<'_> {
    /// Sends one holder; `false` if the ring buffer is full.
    #[inline(always)]
    fn send(&self, sock: Sock) -> bool {
        let Some(mut record) = Slot::<Holder>::reserve() else {
            return false;
        };
        header(&mut record.header, kind::HOLDER, self.time);
        sock.describe_bound(&mut record.socket, self.port);
        record.jiffies_left = sock.0.read::<u64>(at!(time_wait_expires)).wrapping_sub(jiffies()) as i64;
        record.backlog = sock.0.read(at!(sock_ack_backlog));
        record.max_backlog = sock.0.read(at!(sock_max_ack_backlog));
        record.vrf = self.vrf;
        record.flags = sock.ownership();
        record.reserved = 0;
        record.submit_step();
        true
    }
}

#[inline(always)]
fn add_flag(walk: &mut Walk, bit: u32) {
    let flags = get(&walk.flags) | bit;
    set(&mut walk.flags, flags);
}

/// Keeps a socket that sits on the asked port, unless it cannot be in the way: two addresses that are
/// both specific, and differ, clash by no rule of any kernel.
#[inline(always)]
fn met(sock: Sock, asked: &Asked, walk: &mut Walk) {
    let address = sock.local(sock.family());
    let bystander = specific(&address) & specific(&asked.address) & differ(&address, &asked.address);
    if opaque(bystander) != 0 {
        increment(&mut walk.bystanders);
        return;
    }
    let index = get(&walk.met);
    if index >= MAX_HOLDERS {
        add_flag(walk, flag::TRUNCATED);
        return;
    }
    walk.found[index as usize] = sock.0.0;
    set(&mut walk.met, index + 1);
}

/// The socket whose list node lies at `node`, if it is of the asked namespace and port and not the refused one.
#[inline(always)]
fn on_port(node: Ptr, node_offset: u32, asked: &Asked, net: Ptr) -> Option<Sock> {
    let sock = Sock(Ptr(node.0.wrapping_sub(node_offset as u64)));
    let other = foreign(sock.family())
        | u64::from(sock.port() ^ asked.port)
        | (sock.net().0 ^ net.0)
        | 1 ^ nonzero(sock.0.0 ^ asked.sock.0.0);
    if opaque(other) != 0 { None } else { Some(sock) }
}
