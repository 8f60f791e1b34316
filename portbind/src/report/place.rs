//! The requested port or name.

use std::fmt;

use super::foreign::Foreign;
use crate::wire;

/// By default, ports below this require a capability: `net.ipv4.ip_unprivileged_port_start`, ip(7).
const FIRST_UNPRIVILEGED: u16 = 1024;
/// The default ephemeral port range: `net.ipv4.ip_local_port_range`, ip(7).
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

/// A port or name in its network namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The protocol of an internet socket, or else the family. MPTCP shares the ports of TCP and counts as `tcp`.
    pub kind: Foreign,
    /// The port of an internet socket; 0 requests any free port.
    pub port: Option<u16>,
    /// The path or name of a portless socket.
    pub name: Option<Foreign>,
    /// Inode number of the network namespace.
    pub netns: u32,
}

/// The class of a port under the kernel's default settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Port 0: the kernel chooses.
    Any,
    /// Below 1024.
    Privileged,
    /// Neither privileged nor ephemeral.
    Registered,
    /// Assigned to outgoing connections by the kernel.
    Ephemeral,
    /// A path or name.
    Name,
}

impl Class {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Privileged => "privileged",
            Self::Registered => "registered",
            Self::Ephemeral => "ephemeral",
            Self::Name => "name",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Place {
    /// The requested address of a socket.
    #[must_use]
    pub fn of(socket: &wire::Socket<'_>) -> Self {
        let (kind, name) = match (&*socket.family, socket.port) {
            ("inet" | "inet6", Some(_)) => (without_mptcp(&socket.protocol), None),
            _ => (&*socket.family, Some(Foreign::new(&name(socket)))),
        };
        Self {
            kind: Foreign::new(kind),
            port: socket.port.filter(|_| name.is_none()),
            name,
            netns: socket.netns,
        }
    }

    /// The address of a holder in a network namespace.
    #[must_use]
    pub fn held(holder: &wire::Holder<'_>, netns: u32) -> Self {
        let is_internet = holder.port.is_some();
        Self {
            kind: Foreign::new(if is_internet { without_mptcp(&holder.protocol) } else { &holder.family }),
            port: holder.port,
            name: holder.path.as_deref().filter(|_| !is_internet).map(Foreign::new),
            netns,
        }
    }

    /// The class of the port.
    #[must_use]
    pub fn class(&self) -> Class {
        match self.port {
            None => Class::Name,
            Some(0) => Class::Any,
            Some(port) if port < FIRST_UNPRIVILEGED => Class::Privileged,
            Some(port) if EPHEMERAL.contains(&port) => Class::Ephemeral,
            Some(_) => Class::Registered,
        }
    }
}

fn without_mptcp(protocol: &str) -> &str {
    if protocol == "mptcp" { "tcp" } else { protocol }
}

/// The name of a portless socket.
fn name(socket: &wire::Socket<'_>) -> String {
    if let Some(path) = &socket.path {
        path.clone().into_owned()
    } else if let Some(netlink) = &socket.netlink {
        format!("{}:{}", socket.protocol, netlink.port_id)
    } else if let Some(vsock) = &socket.vsock {
        let number = |number: u32| if number == u32::MAX { "any".to_owned() } else { number.to_string() };
        format!("{}:{}", number(vsock.cid), number(vsock.port))
    } else {
        "(any)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_ports() {
        let class = |port| Place { kind: Foreign::default(), port, name: None, netns: 0 }.class().as_str();
        let ports =
            [None, Some(0), Some(1), Some(1023), Some(1024), Some(32_767), Some(32_768), Some(61_000)];
        assert_eq!(
            ports.map(class),
            [
                "name",
                "any",
                "privileged",
                "privileged",
                "registered",
                "registered",
                "ephemeral",
                "registered"
            ]
        );
    }
}
