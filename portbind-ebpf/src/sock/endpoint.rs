//! The addresses and port of a socket, for port events.

use portbind_abi::{Address, Endpoint};

use super::common::{Common, Words};
use super::handle::{Sock, inode_of_socket};
use crate::kernel::globals::at;
use crate::kernel::memory::room;

/// The fields of a record about a socket's place that the common part does not give.
pub(crate) struct Place {
    /// The local address, given separately: a refused socket has lost its own.
    pub(crate) address: Address,
    pub(crate) port: u16,
    pub(crate) netns: u32,
    pub(crate) protocol: u16,
    pub(crate) inode: u64,
}

impl Sock {
    /// Describes a socket that still has its address, for a port event.
    #[inline(always)]
    pub(crate) fn describe_endpoint(self, to: &mut Endpoint, port: u16) {
        let mut room = room();
        let common = Common::of(self, &mut room);
        let at = self.place(&common, port, common.netns());
        common.describe_endpoint(to, self, &at);
    }

    /// Reads the fields that the common part does not hold.
    #[inline(always)]
    pub(crate) fn place(self, common: &Common<'_>, port: u16, netns: u32) -> Place {
        let protocol = self.protocol();
        let inode = inode_of_socket(self.visible(protocol).0.follow(at!(sock_socket)));
        Place { address: common.local(), port, netns, protocol, inode }
    }
}

impl<const N: usize> Words<'_, N> {
    /// Describes the addresses and port of the socket `sock`.
    ///
    /// Straight-line, because the verifier follows every branch of every step of a search. For a TIME_WAIT or request
    /// socket, the memory past `struct sock_common` holds unrelated data, which user space ignores.
    #[inline(always)]
    pub(crate) fn describe_endpoint(&self, to: &mut Endpoint, sock: Sock, at: &Place) {
        to.id = sock.0.0;
        to.inode = at.inode;
        to.address = at.address;
        to.peer = self.peer();
        to.netns = at.netns;
        to.state = u32::from(self.state());
        to.family = self.family();
        to.protocol = at.protocol;
        to.port = at.port;
        to.peer_port = self.peer_port();
    }
}
