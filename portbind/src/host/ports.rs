//! Ports of a network namespace: its settings, and a free one by trial.

use std::fs;
use std::os::fd::AsFd as _;

use super::netns::inside;
use super::procfs::Procfs;
use super::trial;
use super::unix::namespace;
use crate::diagnosis::event::{Options, Socket};
use crate::diagnosis::facts::PortFacts;

/// How many ports above the refused one are tried.
const TRIALS: u16 = 32;

/// Looks at the ports of the namespace of `asked`, which process `pid` is in; where that has ended, any other process in
/// there serves as well, and nothing is known if there is none.
#[must_use]
pub fn look_from(procfs: &Procfs, pid: u32, asked: &Socket) -> PortFacts {
    if procfs.own_network_namespace() == Some(asked.netns) {
        return look(asked);
    }
    let namespace = namespace(procfs, asked.netns, pid);
    namespace.and_then(|(_, namespace)| inside(namespace.as_fd(), || look(asked)).ok()).unwrap_or_default()
}

/// Looks at the ports of the namespace of this thread: its settings, and a port to which `asked` could be bound.
#[must_use]
pub fn look(asked: &Socket) -> PortFacts {
    PortFacts {
        ephemeral: setting("ip_local_port_range").as_deref().and_then(range),
        reserved: setting("ip_local_reserved_ports"),
        free_port: free_port(asked),
        usage: None,
    }
}

fn setting(name: &str) -> Option<String> {
    // The root of /proc/sys shows the namespace of the thread that opens the file (net/sysctl_net.c).
    let text = fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok()?;
    Some(text.trim().to_owned())
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (low, high) = text.split_once(char::is_whitespace)?;
    Some((low.parse().ok()?, high.trim().parse().ok()?))
}

/// The nearest port above the asked one to which the same bind is possible.
fn free_port(asked: &Socket) -> Option<u16> {
    let first = asked.port.checked_add(1).filter(|_| asked.port != 0)?;
    // Without any other option, so that no other socket can be on the port. The trial holds it for microseconds.
    let options = Options { v6_only: asked.options.v6_only, ..Options::default() };
    let alone = |port| Socket { port, options, interface: None, ..asked.clone() };
    (first..=first.saturating_add(TRIALS)).find(|&port| trial::bind(&alone(port)).is_ok())
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, TcpListener};

    use super::*;
    use crate::diagnosis::event::{Family, Protocol};

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
        let free = free_port(&asked(port)).unwrap();
        assert!(free > port && free <= port + TRIALS + 1);
        TcpListener::bind(("127.0.0.1", free)).unwrap();
        assert_eq!(free_port(&asked(u16::MAX)), None);
        assert_eq!(free_port(&asked(0)), None);
    }

    #[test]
    fn the_ports_of_a_namespace_are_seen_from_within() {
        let procfs = Procfs::new();
        let (pid, netns) = (std::process::id(), procfs.own_network_namespace().unwrap());
        let (_, namespace) = namespace(&procfs, netns, pid).unwrap();
        // Entering one's own namespace takes the same capability as another's.
        if let Ok(facts) = inside(namespace.as_fd(), || look(&asked(1))) {
            assert!(facts.ephemeral.is_some());
        }
        assert!(look_from(&procfs, pid, &Socket { netns, ..asked(1) }).ephemeral.is_some());
        assert_eq!(look_from(&procfs, u32::MAX, &asked(1)), PortFacts::default());
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(range("32768\t60999"), Some((32768, 60999)));
        assert_eq!(range("32768"), None);
        assert_eq!(range("1 70000"), None);
    }
}
