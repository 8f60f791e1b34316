//! The addresses of systemd's `ListenStream=` and similar settings (systemd.socket(5)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address that a socket unit listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// A port on one address, or on all addresses if none is given.
    Internet(Option<IpAddr>, u16),
    /// A path in the file system.
    Path(String),
    /// An abstract name, without the `@`.
    Abstract(String),
}

impl ListenAddress {
    /// Parses one value; `None` for families that are not traced, and for invalid values.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.starts_with('/') {
            return Some(Self::Path(text.to_owned()));
        }
        if let Some(name) = text.strip_prefix('@') {
            return Some(Self::Abstract(name.to_owned()));
        }
        let port = |port: &str| port.parse().ok().filter(|&port: &u16| port != 0);
        if let Some(port) = port(text) {
            return Some(Self::Internet(None, port));
        }
        // An IPv6 address may be followed by a zone: `[fe80::1]:80%eth0`.
        let (address, rest) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once("]:")?;
                (IpAddr::V6(address.parse().ok()?), rest.split('%').next()?)
            }
            None => {
                let (address, rest) = text.split_once(':')?;
                (IpAddr::V4(address.parse().ok()?), rest)
            }
        };
        Some(Self::Internet(Some(address), port(rest)?))
    }

    /// Whether a socket bound to `bound` may belong to this setting. A bare port is bound on `::`, or on 0.0.0.0
    /// without IPv6.
    pub(super) fn matches(&self, bound: &Self) -> bool {
        match (self, bound) {
            (Self::Internet(None, port), Self::Internet(Some(address), bound)) => {
                port == bound && (*address == Ipv6Addr::UNSPECIFIED || *address == Ipv4Addr::UNSPECIFIED)
            }
            _ => self == bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        let internet = |address: &str, port| ListenAddress::Internet(address.parse().ok(), port);
        let cases = [
            ("8080", Some(internet("", 8080))),
            ("127.0.0.1:80", Some(internet("127.0.0.1", 80))),
            ("[::1]:80", Some(internet("::1", 80))),
            ("[fe80::1]:80%eth0", Some(internet("fe80::1", 80))),
            ("/run/x.sock", Some(ListenAddress::Path("/run/x.sock".to_owned()))),
            ("@x", Some(ListenAddress::Abstract("x".to_owned()))),
            ("vsock:2:1234", None),
            ("0", None),
            ("65536", None),
            ("localhost:80", None),
            ("[::1]", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(ListenAddress::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_bare_port_is_any_address() {
        let bound = |text: &str| ListenAddress::parse(text).unwrap();
        for (asked, address, expected) in [
            ("80", "[::]:80", true),
            ("80", "0.0.0.0:80", true),
            ("80", "127.0.0.1:80", false),
            ("80", "[::]:81", false),
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "0.0.0.0:80", false),
            ("/x", "/x", true),
            ("@x", "/x", false),
        ] {
            assert_eq!(bound(asked).matches(&bound(address)), expected, "{asked} {address}");
        }
    }
}
