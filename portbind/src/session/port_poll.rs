//! Polls a port from user space, where no event reports the end of its sockets.

use std::fs::File;

use crate::diagnosis::aftermath::{PollTarget, SocketSnapshot};
use crate::event::{PortTable, Protocol};
use crate::host::netns::Netns;
use crate::host::port_sockets::{Protocols, Query, ask};
use crate::host::{Host, Procfs};

/// The sockets on a port now; `None` if its network namespace cannot be reached any more, or the kernel has no socket
/// diagnosis for the protocol.
pub(super) fn poll(host: &Host, look: &PollTarget) -> Option<Vec<SocketSnapshot>> {
    let protocol = match look.key.table {
        PortTable::Tcp => Protocol::Tcp,
        PortTable::Udp => Protocol::Udp,
        PortTable::Udplite => Protocol::Udplite,
        PortTable::Other(_) => return None,
    };
    let query = Query::port(look.key.port, Protocols::One(protocol));
    let sockets = ask(&host.entrance, &namespace(&host.procfs, look)?, &query).ok()?;
    Some(
        sockets
            .iter()
            .map(|socket| SocketSnapshot { address: socket.address, peer: socket.peer, inode: socket.inode })
            .collect(),
    )
}

/// The network namespace of a port, reopened for each poll: an open file would keep it alive after its last process.
fn namespace(procfs: &Procfs, look: &PollTarget) -> Option<Netns> {
    let own = Netns::own(procfs).ok();
    let of_pid = |pid: &u32| {
        let file = File::open(procfs.root().join(format!("{pid}/ns/net"))).ok()?;
        Netns::of(procfs, file.into()).ok()
    };
    let candidates = own.into_iter().chain(look.pids.iter().filter_map(of_pid));
    candidates.into_iter().find(|netns| netns.inode() == look.key.netns)
}
