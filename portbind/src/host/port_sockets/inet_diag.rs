//! Sockets with ports, as inet_diag reports them (sock_diag(7), include/uapi/linux/inet_diag.h).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::query::Query;
use super::socket::PortSocket;
use crate::event::{Family, Protocol, State};
use crate::host::sock_diag::{SockDiag, attributes, u32_at};

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// Protocols that inet_diag has a handler for (include/uapi/linux/in.h).
const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;
const UDPLITE: u8 = 136;
/// The bit of `idiag_ext` that requests INET_DIAG_INFO; the kernel then adds INET_DIAG_ULP_INFO.
const WITH_INFO: u8 = 1 << 1;
const INET_DIAG_REQ_BYTECODE: u16 = 1;
const INET_DIAG_SKV6ONLY: u16 = 11;
const INET_DIAG_ULP_INFO: u16 = 19;
/// Reported from 5.9 on, if the kernel has CONFIG_SOCK_CGROUP_DATA (inet_diag_msg_attrs_fill in net/ipv4/inet_diag.c).
const INET_DIAG_CGROUP_ID: u16 = 21;
const INET_ULP_INFO_NAME: u16 = 1;
/// The `inet_diag_bc_op.code` that compares the local port; its operand follows in a second instruction.
const INET_DIAG_BC_S_EQ: u8 = 11;
/// `idiag_timer` of TIME_WAIT (inet_twsk_diag_fill in net/ipv4/inet_diag.c, tcp_diag.c from 6.16 on).
const TIME_WAIT_TIMER: u8 = 3;
/// Bytes of `struct inet_diag_msg`.
const MESSAGE: usize = 72;

/// Asks for every socket of a protocol; a protocol that the kernel does not know has none.
///
/// # Errors
/// If the kernel has no diagnosis of TCP, or refuses the request.
pub(super) fn ask(diagnosis: &mut SockDiag, query: &Query, found: &mut Vec<PortSocket>) -> io::Result<()> {
    for (number, is_wanted) in [
        (TCP, query.protocols.wants(Protocol::Tcp) || query.protocols.wants(Protocol::Mptcp)),
        (UDP, query.protocols.wants(Protocol::Udp)),
        (UDPLITE, query.protocols.wants(Protocol::Udplite)),
        (SCTP, query.protocols.wants(Protocol::Sctp)),
    ] {
        for family in [AF_INET, AF_INET6].into_iter().filter(|_| is_wanted) {
            let request = request(family, number, query.states, query.port);
            let shown = diagnosis.dump(&request, |body| {
                let socket = read(body, number);
                // The kernel's filter is an optimisation; some versions do not apply it to bound TCP sockets.
                found.extend(socket.filter(|socket| query.takes(socket)));
            });
            match shown {
                Err(error) if error.kind() == io::ErrorKind::NotFound && number != TCP => break,
                other => other?,
            }
        }
    }
    Ok(())
}

/// `struct inet_diag_req_v2`, and a filter for a port.
fn request(family: u8, protocol: u8, states: u32, port: Option<u16>) -> Vec<u8> {
    const SOCKET_ID: usize = 48;
    let mut bytes = vec![family, protocol, WITH_INFO, 0];
    bytes.extend(states.to_ne_bytes());
    bytes.resize(bytes.len() + SOCKET_ID, 0);
    if let Some(port) = port {
        // If the port matches, jump eight bytes on, to the end; otherwise beyond the end, which rejects the socket.
        bytes.extend(12_u16.to_ne_bytes());
        bytes.extend(INET_DIAG_REQ_BYTECODE.to_ne_bytes());
        bytes.extend([INET_DIAG_BC_S_EQ, 8]);
        bytes.extend(12_u16.to_ne_bytes());
        bytes.extend([0, 0]);
        bytes.extend(port.to_ne_bytes());
    }
    bytes
}

/// Parses a `struct inet_diag_msg` and its attributes.
fn read(body: &[u8], protocol: u8) -> Option<PortSocket> {
    let &[family, state, timer, _, ..] = body else { return None };
    let is_time_wait = timer == TIME_WAIT_TIMER && protocol == TCP;
    let state = State::of_number(state);
    let (local, remote) = (body.get(8..24)?, body.get(24..40)?);
    let (port, peer_port) = (port_at(body, 4)?, port_at(body, 6)?);
    let (queue, queue_limit) = (u32_at(body, 56)?, u32_at(body, 60)?);
    let mut socket = PortSocket {
        protocol: self::protocol(protocol),
        family: if family == AF_INET6 { Family::Inet6 } else { Family::Inet },
        state,
        is_time_wait,
        address: address(family, local)?,
        port,
        peer: (peer_port != 0 && state != State::Listen).then_some((address(family, remote)?, peer_port)),
        interface: u32_at(body, 40)?,
        time_wait_left_ms: is_time_wait.then_some(u32_at(body, 52)?.into()),
        backlog: (state == State::Listen).then_some((queue, queue_limit)),
        uid: u32_at(body, 64)?,
        inode: u32_at(body, 68)?.into(),
        v6_only: false,
        cgroup: None,
    };
    for (kind, value) in attributes(body.get(MESSAGE..)?) {
        match kind {
            INET_DIAG_SKV6ONLY => socket.v6_only = value.first() == Some(&1),
            INET_DIAG_CGROUP_ID => socket.cgroup = value.try_into().ok().map(u64::from_ne_bytes),
            // The MPTCP socket has the inode and the port of its first subflow.
            INET_DIAG_ULP_INFO if is_mptcp(value) => socket.protocol = Protocol::Mptcp,
            _ => {}
        }
    }
    Some(socket)
}

fn is_mptcp(upper_layer: &[u8]) -> bool {
    attributes(upper_layer).any(|(kind, name)| kind == INET_ULP_INFO_NAME && name.starts_with(b"mptcp"))
}

const fn protocol(number: u8) -> Protocol {
    match number {
        UDP => Protocol::Udp,
        SCTP => Protocol::Sctp,
        UDPLITE => Protocol::Udplite,
        _ => Protocol::Tcp,
    }
}

fn address(family: u8, words: &[u8]) -> Option<IpAddr> {
    let bytes: [u8; 16] = words.try_into().ok()?;
    let [a, b, c, d, ..] = bytes;
    Some(if family == AF_INET6 {
        IpAddr::V6(Ipv6Addr::from(bytes))
    } else {
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    })
}

fn port_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(state: u8, timer: u8, ports: (u16, u16)) -> Vec<u8> {
        let mut body = vec![AF_INET, state, timer, 0];
        body.extend(ports.0.to_be_bytes());
        body.extend(ports.1.to_be_bytes());
        body.extend([127, 0, 0, 1]);
        body.extend([0; 12]);
        body.extend([127, 0, 0, 2]);
        body.extend([0; 12]);
        for word in [3_u32, 0, 0, 59_000, 2, 128, 1000, 77] {
            body.extend(word.to_ne_bytes());
        }
        body
    }

    #[test]
    fn reads_all_that_inet_diag_writes() {
        let listener = read(&message(10, 0, (8080, 0)), TCP).unwrap();
        assert_eq!((listener.state, listener.port, listener.peer), (State::Listen, 8080, None));
        assert_eq!((listener.backlog, listener.uid, listener.inode), (Some((2, 128)), 1000, 77));
        assert_eq!((listener.address.to_string(), listener.interface), ("127.0.0.1".to_owned(), 3));
        let left = read(&message(6, 3, (8080, 40_000)), TCP).unwrap();
        assert_eq!((left.is_time_wait, left.time_wait_left_ms), (true, Some(59_000)));
        assert_eq!(left.peer, Some(("127.0.0.2".parse().unwrap(), 40_000)));
        let bound = read(&message(13, 0, (8080, 0)), TCP).unwrap();
        assert_eq!((bound.state, bound.is_time_wait), (State::Bound, false));
        assert_eq!(read(&message(7, 3, (53, 0)), UDP).unwrap().protocol, Protocol::Udp);
    }

    #[test]
    fn reads_attributes() {
        let attribute = |kind: u16, value: &[u8]| {
            let mut bytes = u16::try_from(value.len() + 4).unwrap().to_ne_bytes().to_vec();
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        let mut body = message(10, 0, (80, 0));
        body.extend(attribute(INET_DIAG_SKV6ONLY, &[1]));
        body.extend(attribute(INET_DIAG_CGROUP_ID, &4711_u64.to_ne_bytes()));
        let nested = attribute(INET_ULP_INFO_NAME, b"mptcp\0");
        body.extend(attribute(INET_DIAG_ULP_INFO | 0x8000, &nested));
        let socket = read(&body, TCP).unwrap();
        assert_eq!((socket.v6_only, socket.protocol, socket.cgroup), (true, Protocol::Mptcp, Some(4711)));
    }

    proptest! {
        #[test]
        fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..120), protocol: u8) {
            let _ = read(&bytes, protocol);
        }
    }
}
