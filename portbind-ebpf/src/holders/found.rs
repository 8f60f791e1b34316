//! Sockets on the requested port: which ones to keep, and which ones cannot be in the way.

use portbind_abi::{Address, MAX_HOLDERS, walk as flag};

use crate::kernel::memory::Ptr;
use crate::kernel::volatile::{get, increment, opaque, set};
use crate::scratch::shape::{Scratch, Walk};
use crate::sock::address::{differ, specific};
use crate::sock::asked::Asked;
use crate::sock::bits::nonzero;
use crate::sock::common::Common;
use crate::sock::handle::Sock;
use crate::sock::numbers::{TCP_LISTEN, foreign};

#[inline(always)]
pub(super) fn add_flag(to: &mut Scratch, bit: u32) {
    let flags = get(&to.refusal.flags) | bit;
    set(&mut to.refusal.flags, flags);
}

/// Keeps a socket on the requested port, unless it cannot be in the way: two different specific addresses never
/// conflict, in any kernel.
#[inline(always)]
pub(super) fn met(on_port: &OnPort, asked: &Asked, to: &mut Scratch) {
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

/// A socket on the requested port.
pub(super) struct OnPort {
    sock: Sock,
    pub(super) address: Address,
    /// 1 if the socket listens.
    pub(super) is_listener: u64,
}

/// The socket whose list node is at `node`, if it is in the requested namespace, on the requested port, and not the
/// refused socket itself.
#[inline(always)]
pub(super) fn on_port(
    node: Ptr,
    node_offset: u32,
    asked: &Asked,
    net: Ptr,
    walk: &mut Walk,
) -> Option<OnPort> {
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
