//! Sockets in a step: their kinds, addresses and options.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, bail};

use super::words::{Words, one_of};
use crate::actor::{Family, Kind, Protocol, SocketName, SocketOption};

/// The kind of a socket.
#[derive(Debug, PartialEq)]
pub(super) enum SocketKind {
    /// A socket with a port.
    Port(Family, Protocol),
    /// A portless socket.
    Portless(Kind),
}

impl SocketKind {
    /// Reads `tcp`, `tcp6`, `unix_stream` and the like.
    pub(super) fn parse(word: &str) -> anyhow::Result<Self> {
        let (family, protocol) = match word.strip_suffix('6') {
            Some(protocol) => (Family::Inet6, protocol),
            None => (Family::Inet, word),
        };
        if let Ok(protocol) = one_of(protocol) {
            return Ok(Self::Port(family, protocol));
        }
        one_of(word).map(Self::Portless).with_context(|| {
            format!("\"{word}\" is neither tcp, udp, mptcp, sctp or ping (IPv6: tcp6, ...) nor a socket without a port")
        })
    }
}

/// The address of a bind.
#[derive(Debug, PartialEq)]
pub(super) enum Place {
    /// Address and port, and the interface index or 0.
    Port(IpAddr, u16, u32),
    /// The name of a portless socket.
    Name(SocketName),
}

impl Place {
    /// Reads `127.0.0.1:80`, `[fe80::1%2]:80`, `path:app.sock` and the like.
    pub(super) fn parse(word: &str) -> anyhow::Result<Self> {
        let number = |rest: &str| rest.parse().with_context(|| format!("\"{rest}\" is not a number"));
        let name = match word.split_once(':') {
            Some((_, "")) => bail!("nothing is behind the colon of \"{word}\""),
            Some(("path", path)) => SocketName::Path(path.to_owned()),
            Some(("relative", path)) => SocketName::Relative(path.to_owned()),
            Some(("absolute", path)) => SocketName::Absolute(path.to_owned()),
            Some(("abstract", name)) => SocketName::Abstract(name.to_owned()),
            Some(("netlink", port_id)) => SocketName::Netlink(number(port_id)?),
            Some(("vsock", port)) => SocketName::Vsock(number(port)?),
            _ => return ip_and_port(word).map(|(address, port, scope)| Self::Port(address, port, scope)),
        };
        Ok(Self::Name(name))
    }
}

/// Parses an address with its port and interface index; the index is 0 if missing.
pub(super) fn ip_and_port(word: &str) -> anyhow::Result<(IpAddr, u16, u32)> {
    let Ok(address) = word.parse::<SocketAddr>() else {
        bail!(
            "\"{word}\" is not an address with its port, as 127.0.0.1:80 or [::1]:80, nor a name, as path:app.sock"
        );
    };
    let scope = match address {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(address) => address.scope_id(),
    };
    Ok((address.ip(), address.port(), scope))
}

/// Parses the remaining words as options of a socket.
pub(super) fn options(words: &mut Words) -> anyhow::Result<Vec<SocketOption>> {
    words.rest().iter().map(|word| option(word)).collect()
}

/// One option: a word, or a word with a value.
fn option(word: &str) -> anyhow::Result<SocketOption> {
    Ok(match word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value))) {
        ("reuseaddr", None) => SocketOption::ReuseAddress,
        ("reuseaddr", Some("0")) => SocketOption::NoReuseAddress,
        ("reuseport", None) => SocketOption::ReusePort,
        ("v6only", None) => SocketOption::V6Only,
        ("v6only", Some("0")) => SocketOption::DualStack,
        ("bind_address_no_port", None) => SocketOption::BindAddressNoPort,
        ("local_port_range", Some(range)) => port_range(range)?,
        ("bindtodevice", Some(interface)) if !interface.is_empty() => {
            SocketOption::BindToDevice(interface.to_owned())
        }
        _ => bail!("\"{word}\" is not an option of a socket"),
    })
}

/// The lowest and the highest port that a socket may get.
fn port_range(range: &str) -> anyhow::Result<SocketOption> {
    let ports = range.split_once('-').map(|(low, high)| (low.parse(), high.parse()));
    let Some((Ok(low), Ok(high))) = ports else { bail!("\"{range}\" is not a range, as 43000-43001") };
    Ok(SocketOption::LocalPortRange(low, high))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn a_socket_is_a_protocol_with_its_family_or_has_no_port() {
        assert_eq!(SocketKind::parse("tcp").unwrap(), SocketKind::Port(Family::Inet, Protocol::Tcp));
        assert_eq!(SocketKind::parse("udp6").unwrap(), SocketKind::Port(Family::Inet6, Protocol::Udp));
        assert_eq!(SocketKind::parse("vsock_stream").unwrap(), SocketKind::Portless(Kind::VsockStream));
        for wrong in ["tpc", "tcp4", "6", "", "unix_stream6"] {
            assert!(SocketKind::parse(wrong).unwrap_err().to_string().contains(&format!("\"{wrong}\"")));
        }
    }

    #[test]
    fn an_address_has_its_port() {
        let place = |word: &str| Place::parse(word).unwrap();
        assert_eq!(place("127.0.0.1:80"), Place::Port(Ipv4Addr::LOCALHOST.into(), 80, 0));
        assert_eq!(place("[::]:0"), Place::Port(Ipv6Addr::UNSPECIFIED.into(), 0, 0));
        let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
        assert_eq!(place("[fe80::1%7]:80"), Place::Port(link_local.into(), 80, 7));
        for wrong in
            ["127.0.0.1", "::1:80:", "[::1]", "127.0.0.1:65536", "localhost:80", "app.sock", "pth:app.sock"]
        {
            assert!(Place::parse(wrong).unwrap_err().to_string().contains(&format!("\"{wrong}\"")));
        }
    }

    #[test]
    fn a_name_has_its_kind() {
        let name = |word: &str| Place::parse(word).unwrap();
        assert_eq!(name("path:a:b"), Place::Name(SocketName::Path("a:b".to_owned())));
        assert_eq!(name("absolute:/a"), Place::Name(SocketName::Absolute("/a".to_owned())));
        assert_eq!(name("netlink:7"), Place::Name(SocketName::Netlink(7)));
        assert!(Place::parse("vsock:seven").unwrap_err().to_string().contains("\"seven\" is not a number"));
        assert!(Place::parse("path:").unwrap_err().to_string().contains("\"path:\""));
    }

    #[test]
    fn options_are_words() {
        let read = |text: &str| options(&mut Words::split(text).unwrap());
        assert_eq!(
            read("reuseaddr v6only=0 local_port_range=1-2 bindtodevice=lo").unwrap(),
            [
                SocketOption::ReuseAddress,
                SocketOption::DualStack,
                SocketOption::LocalPortRange(1, 2),
                SocketOption::BindToDevice("lo".to_owned()),
            ]
        );
        for wrong in ["reuse_address", "reuseaddr=1", "v6only=", "bindtodevice", "reuseport=0"] {
            let error = read(&format!("reuseaddr {wrong}"));
            assert!(error.is_err_and(|error| error.to_string().contains(&format!("\"{wrong}\""))), "{wrong}");
        }
        assert!(read("local_port_range=1").unwrap_err().to_string().contains("\"1\" is not a range"));
    }
}
