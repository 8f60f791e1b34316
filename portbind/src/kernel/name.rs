//! Parses the sockaddr of a portless family into a name. The bytes are whatever the caller passed.

use portbind_abi as abi;

use crate::event::{Family, Name, Options, Protocol, Socket};

/// Address families (include/linux/socket.h).
const AF_UNIX: u16 = 1;
const AF_NETLINK: u16 = 16;
const AF_VSOCK: u16 = 40;
/// Socket types (include/linux/net.h).
const STREAM: u16 = 1;
const DGRAM: u16 = 2;
const SEQPACKET: u16 = 5;

/// The refused socket, with the name from the requested sockaddr.
#[must_use]
pub fn socket(record: &abi::Socket, sockaddr: &[u8]) -> Socket {
    let family = family(record.family);
    Socket {
        family,
        protocol: protocol(family, record),
        address: std::net::Ipv4Addr::UNSPECIFIED.into(),
        port: 0,
        name: Some(name(family, sockaddr)),
        netns: record.netns,
        netns_name: None,
        interface: None,
        options: Options::default(),
        uid: record.uid,
    }
}

/// The family of a portless socket.
pub(super) const fn family(number: u16) -> Family {
    match number {
        AF_UNIX => Family::Unix,
        AF_NETLINK => Family::Netlink,
        AF_VSOCK => Family::Vsock,
        other => Family::Other(other),
    }
}

fn protocol(family: Family, record: &abi::Socket) -> Protocol {
    match (family, record.socket_type) {
        (Family::Netlink, _) => Protocol::Netlink(record.protocol),
        (Family::Unix | Family::Vsock, STREAM) => Protocol::Stream,
        (Family::Unix | Family::Vsock, DGRAM) => Protocol::Dgram,
        (Family::Unix | Family::Vsock, SEQPACKET) => Protocol::Seqpacket,
        _ => Protocol::Other(record.protocol),
    }
}

/// Parses a sockaddr, including the family in its first two bytes.
#[must_use]
pub fn name(family: Family, sockaddr: &[u8]) -> Name {
    let rest = sockaddr.get(2..).unwrap_or_default();
    let known = match family {
        Family::Unix => Some(Name::of_unix(rest)),
        // struct sockaddr_nl (include/uapi/linux/netlink.h): family, padding, port id, groups.
        Family::Netlink => {
            word(rest, 2).and_then(|port_id| word(rest, 6).map(|groups| Name::Netlink { port_id, groups }))
        }
        // struct sockaddr_vm (include/uapi/linux/vm_sockets.h): family, reserved, port, cid.
        Family::Vsock => word(rest, 2).and_then(|port| word(rest, 6).map(|cid| Name::Vsock { cid, port })),
        Family::Inet | Family::Inet6 | Family::Other(_) => None,
    };
    known.unwrap_or_else(|| Name::Raw(rest.to_vec()))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zerocopy::FromZeros as _;

    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    #[test]
    fn names_of_each_family() {
        let cases: [(Family, &[u8], Name); 12] = [
            (Family::Unix, b"", Name::Unnamed),
            (Family::Unix, b"\x01", Name::Unnamed),
            (Family::Unix, b"\x01\0", Name::Unnamed),
            (Family::Unix, b"\x01\0\0", Name::Abstract(vec![])),
            (Family::Unix, b"\x01\0\0a\0b", Name::Abstract(b"a\0b".to_vec())),
            (Family::Unix, b"\x01\0/a\0left over", Name::Path(b"/a".to_vec())),
            (Family::Unix, b"\x01\0/a", Name::Path(b"/a".to_vec())),
            (Family::Unix, b"\x01\0\xff\n", Name::Path(b"\xff\n".to_vec())),
            (Family::Netlink, &words(&[16, 7, 3]), Name::Netlink { port_id: 7, groups: 3 }),
            (Family::Netlink, &words(&[16, 7]), Name::Raw(words(&[16, 7])[2..].to_vec())),
            (Family::Vsock, &words(&[40, 1234, u32::MAX, 0]), Name::Vsock { cid: u32::MAX, port: 1234 }),
            (Family::Other(30), b"\x1e\0\x01\x02", Name::Raw(vec![1, 2])),
        ];
        for (family, bytes, expected) in cases {
            assert_eq!(name(family, bytes), expected, "{family:?} {bytes:?}");
        }
    }

    #[test]
    fn protocols_of_each_family() {
        let cases = [
            (1, 1, 0, Some("stream")),
            (1, 2, 0, Some("dgram")),
            (1, 5, 0, Some("seqpacket")),
            (40, 1, 0, Some("stream")),
            // NETLINK_XFRM has the same number as TCP.
            (16, 3, 6, Some("xfrm")),
            (16, 3, 31, None),
            (17, 3, 6, None),
        ];
        for (family, socket_type, protocol, word) in cases {
            let record = abi::Socket { family, protocol, socket_type, ..abi::Socket::new_zeroed() };
            assert_eq!(socket(&record, &[]).protocol.as_str(), word, "{family} {socket_type} {protocol}");
        }
    }

    proptest! {
        #[test]
        fn takes_any_bytes(family: u16, bytes in prop::collection::vec(any::<u8>(), 0..=abi::NAME_LEN)) {
            let record = abi::Socket { family, ..abi::Socket::new_zeroed() };
            let name = socket(&record, &bytes).name.unwrap();
            if let Name::Path(path) = &name {
                prop_assert!(!path.is_empty() && !path.contains(&0));
            }
            let _path = name.path();
        }
    }
}
