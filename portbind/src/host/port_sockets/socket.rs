//! A socket on a port.

use std::net::IpAddr;

use crate::event::{Family, Holder, Interface, Options, Ownership, Protocol, SocketId, State};

/// A socket on a port, as the kernel tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortSocket {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Address family.
    pub family: Family,
    /// Its state.
    pub state: State,
    /// It is no full socket any more, and only waits out its time.
    pub is_time_wait: bool,
    /// Local address.
    pub address: IpAddr,
    /// Local port.
    pub port: u16,
    /// The other end of a connection.
    pub peer: Option<(IpAddr, u16)>,
    /// Index of the interface that it is bound to; 0 if none.
    pub interface: u32,
    /// Milliseconds until a TIME_WAIT is gone.
    pub time_wait_left_ms: Option<u64>,
    /// Connections waiting to be accepted, of how many that may (listeners).
    pub backlog: Option<(u32, u32)>,
    /// Owner; 0 where it has none.
    pub uid: u32,
    /// Inode number in sockfs; 0 where it has none.
    pub inode: u64,
    /// IPV6_V6ONLY; told of sockets that are not connected.
    pub v6_only: bool,
    /// Id of the control group of the process that made it; not told of TIME_WAIT, and not before 5.9.
    pub cgroup: Option<u64>,
}

impl PortSocket {
    /// The socket as a holder of its port, with nobody behind it yet.
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

    /// A socket without an inode was closed by its process, or not accepted yet: which, its state tells but for
    /// CLOSE_WAIT, and there most often the listener is late.
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
