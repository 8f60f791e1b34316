//! Ports of a network namespace: its port settings, and a free port found by trial.

use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::net::bind;

use super::broker::{Setting, SocketKind};
use super::entrance::Entrance;
use super::procfs::Procfs;
use super::trial;
use super::unix::namespace;
use crate::diagnosis::facts::PortFacts;
use crate::event::{Options, Socket};

/// The number of ports above the refused one that are tried.
const TRIALS: u16 = 32;
/// The longest list of reserved ports: all ports, each in five digits and a comma.
const LONGEST_SETTING: u64 = 6 << 16;

/// Reads the port settings of the namespace of `asked`, which process `pid` is in, and finds a free port. If `pid` has
/// ended, any other process in the namespace will do; without any, nothing is known.
#[must_use]
pub fn facts_from(procfs: &Procfs, entrance: &Entrance, pid: u32, asked: &Socket) -> PortFacts {
    if procfs.own_network_namespace() == Some(asked.netns) {
        return facts(entrance, None, asked);
    }
    let namespace = namespace(procfs, asked.netns, pid);
    namespace.map(|(_, namespace)| facts(entrance, Some(namespace.as_fd()), asked)).unwrap_or_default()
}

/// Reads the port settings of a network namespace, or of this process's own if `namespace` is `None`, and finds a port
/// that `asked` could be bound to.
#[must_use]
pub fn facts(entrance: &Entrance, namespace: Option<BorrowedFd<'_>>, asked: &Socket) -> PortFacts {
    let setting = |which| {
        let mut text = String::new();
        let file = File::from(entrance.setting(namespace, which).ok()?);
        file.take(LONGEST_SETTING).read_to_string(&mut text).ok()?;
        Some(text.trim().to_owned())
    };
    PortFacts {
        ephemeral: setting(Setting::PortRange).as_deref().and_then(range),
        reserved: setting(Setting::ReservedPorts),
        free_port: free_port(entrance, namespace, asked),
        usage: None,
    }
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (low, high) = text.split_once(char::is_whitespace)?;
    Some((low.parse().ok()?, high.trim().parse().ok()?))
}

/// The nearest port above the refused one to which the same bind is possible.
fn free_port(entrance: &Entrance, namespace: Option<BorrowedFd<'_>>, asked: &Socket) -> Option<u16> {
    let first = asked.port.checked_add(1).filter(|_| asked.port != 0)?;
    // Without other options, so that the port must be free of other sockets. The trial holds the port for microseconds.
    let options = Options { v6_only: asked.options.v6_only, ..Options::default() };
    let alone = Socket { options, interface: None, ..asked.clone() };
    let socket = entrance.socket(namespace, SocketKind::Port(asked.family, asked.protocol)).ok()?;
    trial::set_options(&socket, &alone).ok()?;
    // A socket whose bind was refused can be bound to the next port.
    (first..=first.saturating_add(TRIALS))
        .find(|&port| bind(&socket, &SocketAddr::new(asked.address, port)).is_ok())
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, TcpListener};

    use super::*;
    use crate::event::{Family, Protocol};

    fn asked(port: u16) -> Socket {
        Socket {
            family: Family::Inet,
            protocol: Protocol::Tcp,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port,
            netns: 0,
            netns_name: None,
            name: None,
            interface: None,
            options: Options::default(),
            uid: 0,
        }
    }

    #[test]
    fn a_free_port_is_free_and_above() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let free = free_port(&Entrance::Own, None, &asked(port)).unwrap();
        assert!(free > port && free <= port + TRIALS + 1);
        TcpListener::bind(("127.0.0.1", free)).unwrap();
        assert_eq!(free_port(&Entrance::Own, None, &asked(u16::MAX)), None);
        assert_eq!(free_port(&Entrance::Own, None, &asked(0)), None);
    }

    #[test]
    fn the_ports_of_a_namespace_are_seen_from_within() {
        let procfs = Procfs::new();
        let (pid, netns) = (std::process::id(), procfs.own_network_namespace().unwrap());
        let (_, namespace) = namespace(&procfs, netns, pid).unwrap();
        // Entering one's own namespace requires the same capability as entering another one.
        if rustix::process::geteuid().is_root() {
            assert!(facts(&Entrance::Own, Some(namespace.as_fd()), &asked(1)).ephemeral.is_some());
        }
        let asked = Socket { netns, ..asked(1) };
        assert!(facts_from(&procfs, &Entrance::Own, pid, &asked).ephemeral.is_some());
        let elsewhere = Socket { netns: netns ^ 1, ..asked };
        assert_eq!(facts_from(&procfs, &Entrance::Own, u32::MAX, &elsewhere), PortFacts::default());
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(range("32768\t60999"), Some((32768, 60999)));
        assert_eq!(range("32768"), None);
        assert_eq!(range("1 70000"), None);
    }
}
