//! The search for the sockets on a port, at the instant of the refusal.
//!
//! No lock is held: a chain can change under the walk and a socket can be freed and used anew. So
//! every step is bounded, every socket is checked for namespace and port before it is believed, and
//! what was cut short is said.

mod tcp;
mod udp;

pub(crate) use tcp::is_connected_only;

use portbind_ebpf::abi::{Address, Holder, MAX_HOLDERS, Walk, counter, kind, walk as flag};

use crate::kernel::{Ptr, Slot, Step, at, count, get, increment, jiffies, opaque, repeat, set};
use crate::refusal::header;
use crate::sock::{
    Asked, Common, IPPROTO_MPTCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, Place, Sock, TCP_LISTEN, Whole,
    differ, foreign, inode_of_socket, nonzero, specific,
};

/// Tables of sockets that a program can come to search. Told by its hook, so that what it cannot need is left out of
/// it: a search is most of a program, which has to be verified and compiled before tracing can begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    Tcp,
    Udp,
    Either,
    /// Who asks for any port is in nobody's way.
    None,
    /// Those of a protocol that is not known here.
    Foreign,
}

/// Searches the table of the asked protocol, then sends what was found: the search itself is kept
/// short, because the verifier walks through every step of it.
#[inline(always)]
pub(crate) fn walk(asked: &Asked, tables: Tables, walk: &mut Walk) {
    // Without a comparison of the protocol itself: the verifier would go through the search once for each.
    let is_one_of = |one: u16, other: u16| {
        1 ^ nonzero(u64::from(asked.protocol ^ one)) & nonzero(u64::from(asked.protocol ^ other))
    };
    let vrf = if tables != Tables::Udp && opaque(is_one_of(IPPROTO_TCP, IPPROTO_MPTCP)) != 0 {
        tcp::walk(asked, walk)
    } else if tables != Tables::Tcp && opaque(is_one_of(IPPROTO_UDP, IPPROTO_UDPLITE)) != 0 {
        udp::walk(asked, walk)
    } else {
        add_flag(walk, flag::NOT_WALKED);
        return;
    };
    let Asked { time, port, netns, .. } = *asked;
    set(&mut walk.steps, 0);
    repeat(MAX_HOLDERS, &mut Telling { walk, time, port, netns, vrf });
}

/// Sends the sockets that were met, one after the other.
struct Telling<'a> {
    walk: &'a mut Walk,
    time: u64,
    port: u16,
    netns: u32,
    vrf: u32,
}

impl Step for Telling<'_> {
    #[inline(always)]
    fn step(&mut self) -> bool {
        let index = get(&self.walk.steps);
        if index >= MAX_HOLDERS || index >= get(&self.walk.met) {
            return false;
        }
        let sock = Sock(Ptr(self.walk.found[index as usize]));
        if self.send(sock) {
            increment(&mut self.walk.holders);
        } else {
            increment(&mut self.walk.lost);
            count(counter::LOST_HOLDERS);
        }
        set(&mut self.walk.steps, index + 1);
        true
    }
}

impl Telling<'_> {
    /// Sends one holder; `false` if the ring buffer is full.
    #[inline(always)]
    fn send(&mut self, sock: Sock) -> bool {
        let Some(mut record) = Slot::<Holder>::reserve() else {
            return false;
        };
        header(&mut record.header, kind::HOLDER, self.time);
        let whole = Whole::to(&mut self.walk.sock, sock);
        let protocol = whole.get(at!(sock_protocol));
        let visible = sock.visible(protocol);
        let open = visible.0.follow(at!(sock_socket));
        let at = Place {
            address: whole.local(),
            port: self.port,
            netns: self.netns,
            protocol,
            inode: inode_of_socket(open),
        };
        whole.describe(&mut record.socket, sock, &at);
        record.jiffies_left = whole.get::<u64>(at!(time_wait_expires)).wrapping_sub(jiffies()) as i64;
        record.backlog = whole.get(at!(sock_ack_backlog));
        record.max_backlog = whole.get(at!(sock_max_ack_backlog));
        record.vrf = self.vrf;
        record.flags = visible.ownership(open);
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
fn met(on_port: &OnPort, asked: &Asked, walk: &mut Walk) {
    let address = &on_port.address;
    let bystander = specific(address) & specific(&asked.address) & differ(address, &asked.address);
    if opaque(bystander) != 0 {
        increment(&mut walk.bystanders);
        return;
    }
    let index = get(&walk.met);
    if index >= MAX_HOLDERS {
        add_flag(walk, flag::TRUNCATED);
        return;
    }
    walk.found[index as usize] = on_port.sock.0.0;
    set(&mut walk.met, index + 1);
}

/// A socket on the asked port.
struct OnPort {
    sock: Sock,
    address: Address,
    /// 1 if it listens.
    is_listener: u64,
}

/// The socket whose list node lies at `node`, if it is of the asked namespace and port and not the refused one.
#[inline(always)]
fn on_port(node: Ptr, node_offset: u32, asked: &Asked, net: Ptr, walk: &mut Walk) -> Option<OnPort> {
    let sock = Sock(Ptr(node.0.wrapping_sub(node_offset as u64)));
    let common = Common::to(&mut walk.sock, sock);
    let other = foreign(common.family())
        | u64::from(common.port() ^ asked.port)
        | (common.net().0 ^ net.0)
        | 1 ^ nonzero(sock.0.0 ^ asked.sock.0.0);
    if opaque(other) != 0 {
        return None;
    }
    Some(OnPort {
        sock,
        address: common.local(),
        is_listener: 1 ^ nonzero(u64::from(common.state() ^ TCP_LISTEN)),
    })
}
