//! A socket on a port.

use std::net::IpAddr;

use crate::event::{Family, Holder, Interface, Options, Ownership, Protocol, SocketId, State};

/// A socket on a port, as the kernel reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortSocket {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Address family.
    pub family: Family,
    /// State of the socket.
    pub state: State,
    /// The socket is no longer a full socket, and only waits for the end of TIME_WAIT.
    pub is_time_wait: bool,
    /// Local address.
    pub address: IpAddr,
    /// Local port.
    pub port: u16,
    /// Address and port of the other end of a connection.
    pub peer: Option<(IpAddr, u16)>,
    /// Index of the interface that the socket is bound to; 0 if none.
    pub interface: u32,
    /// Milliseconds until the TIME_WAIT ends.
    pub time_wait_left_ms: Option<u64>,
    /// For a listener: the number of connections waiting to be accepted, and their maximum (the backlog).
    pub backlog: Option<(u32, u32)>,
    /// User id of the socket; 0 where the kernel has none.
    pub uid: u32,
    /// Inode number in sockfs; 0 if the socket has none.
    pub inode: u64,
    /// IPV6_V6ONLY; reported for sockets that are not connected.
    pub v6_only: bool,
    /// Id of the cgroup of the process that made the socket; not reported for TIME_WAIT, nor before 5.9.
    pub cgroup: Option<u64>,
}

impl PortSocket {
    /// The socket as a holder of its port, without owners yet.
    #[must_use]
    pub fn holder(&self) -> Holder {
        let is_full = self.inode != 0;
        Holder {
            id: SocketId { object: 0, inode: self.inode },
            state: self.state,
            conflicts: false,
            protocol: self.protocol,
            family: self.family,
            address: self.address,
            port: self.port,
            name: None,
            peer: self.peer,
            interface: (self.interface != 0).then_some(Interface { index: self.interface, name: None }),
            inode: is_full.then_some(self.inode),
            uid: is_full.then_some(self.uid),
            user: None,
            options: Options { v6_only: self.v6_only, ..Options::default() },
            options_known: false,
            ownership: self.ownership(),
            time_wait_left_ms: self.time_wait_left_ms,
            backlog: self.backlog,
            opened_by: None,
            since: None,
            left_by: None,
            processes: Vec::new(),
            more_processes: 0,
        }
    }

    /// A socket without an inode was closed by its process, or is not accepted yet. The state distinguishes the two
    /// cases except for CLOSE_WAIT; such a socket is most often not accepted yet.
    const fn ownership(&self) -> Ownership {
        match self.state {
            _ if self.is_time_wait => Ownership::TimeWait,
            _ if self.inode != 0 => Ownership::Process,
            State::SynRecv | State::Established | State::CloseWait => Ownership::NotAccepted,
            State::Listen | State::Bound => Ownership::Kernel,
            _ => Ownership::Orphan,
        }
    }
}
