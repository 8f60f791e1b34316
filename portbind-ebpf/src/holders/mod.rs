//! The search for the sockets on a port, at the instant of the refusal.
//!
//! No lock is held: a chain can change under the walk and a socket can be freed and used anew. So
//! every step is bounded, every socket is checked for namespace and port before it is believed, and
//! what was cut short is said.

#[cfg(not(feature = "bounded"))]
mod own;
mod tcp;
mod udp;

pub(crate) use tcp::is_connected_only;

#[cfg(not(feature = "bounded"))]
use portbind_ebpf::abi::OWN_SOCKETS;
use portbind_ebpf::abi::{Address, MAX_HOLDERS, walk as flag};

use crate::kernel::{Ptr, Step, at, get, increment, opaque, repeat, set};
use crate::scratch::{Scratch, Walk};
use crate::sock::{
    Asked, Common, IPPROTO_MPTCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, Sock, TCP_LISTEN, Whole, differ,
    foreign, inode_of_socket, nonzero, specific,
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

/// Searches the table of the asked protocol, then describes what was found: the search itself is kept
/// short, because the verifier walks through every step of it.
#[inline(always)]
pub(crate) fn walk(asked: &Asked, tables: Tables, to: &mut Scratch) {
    // Without a comparison of the protocol itself: the verifier would go through the search once for each.
    let is_one_of = |one: u16, other: u16| {
        1 ^ nonzero(u64::from(asked.protocol ^ one)) & nonzero(u64::from(asked.protocol ^ other))
    };
    let vrf = if tables != Tables::Udp && opaque(is_one_of(IPPROTO_TCP, IPPROTO_MPTCP)) != 0 {
        tcp::walk(asked, to)
    } else if tables != Tables::Tcp && opaque(is_one_of(IPPROTO_UDP, IPPROTO_UDPLITE)) != 0 {
        udp::walk(asked, to)
    } else {
        add_flag(to, flag::NOT_WALKED);
        return;
    };
    set(&mut to.refusal.vrf, vrf);
    repeat(MAX_HOLDERS, &mut Describing { to });
}

/// Describes the sockets that were met, one after the other.
struct Describing<'a> {
    to: &'a mut Scratch,
}

impl Step for Describing<'_> {
    #[inline(always)]
    fn step(&mut self) -> bool {
        let Scratch { refusal, holders, walk, .. } = &mut *self.to;
        let index = get(&refusal.holders);
        if index >= MAX_HOLDERS || index >= get(&walk.met) {
            return false;
        }
        let sock = Sock(Ptr(walk.found[index as usize]));
        let whole = Whole::to(&mut walk.sock, sock);
        let protocol = whole.get(at!(sock_protocol));
        let visible = sock.visible(protocol);
        let open = visible.0.follow(at!(sock_socket));
        let holder = &mut holders[index as usize];
        whole.describe_holder(holder, sock, protocol, inode_of_socket(open));
        holder.flags = visible.ownership(open);
        set(&mut holder.own_descriptor, 0);
        #[cfg(not(feature = "bounded"))]
        if index < OWN_SOCKETS {
            own::find(open, &mut walk.sock, holder);
        }
        set(&mut refusal.holders, index + 1);
        true
    }
}

#[inline(always)]
fn add_flag(to: &mut Scratch, bit: u32) {
    let flags = get(&to.refusal.flags) | bit;
    set(&mut to.refusal.flags, flags);
}

/// Keeps a socket that sits on the asked port, unless it cannot be in the way: two addresses that are
/// both specific, and differ, clash by no rule of any kernel.
#[inline(always)]
fn met(on_port: &OnPort, asked: &Asked, to: &mut Scratch) {
    let address = &on_port.address;
    let bystander = specific(address) & specific(&asked.address) & differ(address, &asked.address);
    if opaque(bystander) != 0 {
        increment(&mut to.refusal.bystanders);
        return;
    }
    let index = get(&to.walk.met);
    if index >= MAX_HOLDERS {
        add_flag(to, flag::TRUNCATED);
        return;
    }
    to.walk.found[index as usize] = on_port.sock.0.0;
    set(&mut to.walk.met, index + 1);
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
