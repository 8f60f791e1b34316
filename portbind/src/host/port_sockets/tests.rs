use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;

use super::ask::ask;
use super::find::PortSockets;
use super::query::{Protocols, Query};
use crate::event::{Family, Ownership, Protocol, State};
use crate::host::Host;
use crate::host::entrance::Entrance;
use crate::host::netns::Netns;
use crate::host::procfs::Procfs;
use crate::host::sockets::SocketOwners;

fn find(query: &Query) -> PortSockets {
    let host = Host::new();
    let netns = Netns::own(&host.procfs).unwrap();
    let owners = SocketOwners::new(host.procfs.clone());
    host.port_sockets(&netns, query, |inodes| owners.scan(inodes).unwrap()).unwrap()
}

#[test]
fn sockets_of_this_process_are_seen() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let inode = std::fs::metadata(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap().ino();
    let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let found = find(&Query::port(port, Protocols::One(Protocol::Tcp))).holders;
    let first = &found[0];
    assert_eq!((first.state, first.inode, first.backlog), (State::Listen, Some(inode), Some((1, 128))));
    assert_eq!((first.ownership, first.options_known), (Ownership::Process, true));
    assert!(first.options.reuse_address);
    assert!(first.processes.iter().any(|owner| owner.process.pid == std::process::id()));
    assert_eq!((found[1].ownership, found[1].inode), (Ownership::NotAccepted, None));
    assert_eq!(found[1].peer, Some((client.local_addr().unwrap().ip(), client.local_addr().unwrap().port())));
    let cheap =
        ask(&Entrance::Own, &Netns::own(&Procfs::new()).unwrap(), &Query::listening(port, Protocols::All))
            .unwrap();
    assert_eq!(cheap.len(), 1);
}

#[test]
fn a_port_of_udp_is_no_port_of_tcp() {
    let socket = UdpSocket::bind("[::1]:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let udp = |protocols| find(&Query::port(port, protocols)).holders;
    let found = udp(Protocols::One(Protocol::Udp));
    assert_eq!((found.len(), found[0].state, found[0].family), (1, State::Bound, Family::Inet6));
    assert!(found[0].options.v6_only);
    assert!(udp(Protocols::One(Protocol::Tcp)).is_empty());
    assert_eq!(udp(Protocols::All).len(), 1);
}
