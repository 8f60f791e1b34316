//! The search for the sockets on a port, at the moment of the refusal.
//!
//! No lock is held: a chain can change during the search, and a socket can be freed and its memory reused. So every
//! step is bounded, every socket is checked for namespace and port before it is used, and a search that was cut short
//! is flagged.

pub(crate) mod bucket;
mod found;
#[cfg(not(feature = "bounded"))]
mod own;
mod tcp;
mod udp;

#[cfg(not(feature = "bounded"))]
use portbind_abi::OWN_SOCKETS;
use portbind_abi::{MAX_HOLDERS, walk as flag};

use self::found::add_flag;
use crate::kernel::globals::at;
use crate::kernel::memory::Ptr;
use crate::kernel::volatile::{get, opaque, set};
use crate::kernel::{Step, repeat};
use crate::scratch::shape::Scratch;
use crate::sock::asked::Asked;
use crate::sock::bits::nonzero;
use crate::sock::common::Whole;
use crate::sock::handle::{Sock, inode_of_socket};
use crate::sock::numbers::{IPPROTO_MPTCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE};

/// Socket tables that a program may have to search. The hook chooses them, so that unneeded searches are left out of
/// the program: the search is most of a program's code, which must be verified and compiled before tracing can begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    Tcp,
    Udp,
    Either,
    /// The call requested any port: no single socket is in its way.
    None,
    /// The protocol is unknown: no table to search.
    Foreign,
}

/// Searches the table of the requested protocol, then describes the sockets found. The search itself is kept short,
/// because the verifier walks through every step of it.
#[inline(always)]
pub(crate) fn walk(asked: &Asked, tables: Tables, to: &mut Scratch) {
    // Not a comparison of the protocol itself: the verifier would go through the search once for each value.
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

/// Describes the found sockets one after the other.
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
