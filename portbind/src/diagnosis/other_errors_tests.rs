use super::*;
use crate::event::{Interface, Options};

fn socket(address: &str, port: u16) -> Socket {
    let address: IpAddr = address.parse().unwrap();
    Socket {
        family: if address.is_ipv6() { Family::Inet6 } else { Family::Inet },
        protocol: Protocol::Tcp,
        address,
        port,
        netns: 1,
        netns_name: None,
        name: None,
        interface: None,
        options: Options::default(),
        uid: 0,
    }
}

fn explained(error: &str, operation: Operation, socket: &Socket, facts: Facts) -> Cause {
    explain(Errno::from_name(error).unwrap(), operation, socket, &facts)
}

/// The code for a bind.
fn code(error: &str, socket: &Socket, facts: Facts) -> Code {
    explained(error, Operation::Bind, socket, facts).code
}

const CLOSED: Facts = Facts::unknown(State::Bound);

#[test]
fn errors_with_one_meaning() {
    let socket = socket("127.0.0.1", 80);
    for (error, operation, expected) in [
        ("EAFNOSUPPORT", Operation::Bind, Code::FamilyMismatch),
        ("ENODEV", Operation::Bind, Code::NoSuchInterface),
        ("EPERM", Operation::Bind, Code::ForbiddenByProgram),
        ("EPERM", Operation::Listen, Code::ForbiddenByProgram),
        ("EFAULT", Operation::Bind, Code::BadPointer),
        ("ENOMEM", Operation::Bind, Code::NoMemory),
        ("ENOBUFS", Operation::Listen, Code::NoMemory),
        ("EOPNOTSUPP", Operation::Listen, Code::CannotListen),
        ("EOPNOTSUPP", Operation::Bind, Code::OtherError),
        ("EACCES", Operation::Listen, Code::ForbiddenBySecurityModule),
        ("EROFS", Operation::Bind, Code::OtherError),
    ] {
        assert_eq!(explained(error, operation, &socket, CLOSED).code, expected, "{error} of {operation:?}");
    }
}

#[test]
fn addresses_that_are_not_available() {
    let with = |presence| Facts { presence, ..CLOSED };
    for (presence, expected, word) in [
        (Some(Presence::Absent), Code::AddressNotLocal, "ip_nonlocal_bind"),
        (Some(Presence::Present), Code::AddressNotLocal, "though it is now"),
        (Some(Presence::OtherInterface), Code::AddressNotLocal, "interface eth0"),
        (Some(Presence::Tentative), Code::AddressTentative, "still tentative"),
        (Some(Presence::Duplicate), Code::AddressTentative, "another machine"),
        (None, Code::AddressNotLocal, "or still tentative"),
    ] {
        let mut socket = socket("2001:db8::1", 80);
        socket.interface = Some(Interface { index: 2, name: Some("eth0".to_owned()) });
        let cause = explained("EADDRNOTAVAIL", Operation::Bind, &socket, with(presence));
        assert_eq!(cause.code, expected, "{presence:?}");
        assert!(cause.summary.contains(word) && cause.summary.contains("[2001:db8::1]"), "{}", cause.summary);
    }
    // IPv4 has no tentative addresses, not even on an IPv6 socket.
    for address in ["192.0.2.1", "::ffff:192.0.2.1"] {
        let cause = explained("EADDRNOTAVAIL", Operation::Bind, &socket(address, 80), CLOSED);
        assert!(!cause.summary.contains("tentative"), "{}", cause.summary);
    }
}

#[test]
fn privileged_ports() {
    let facts =
        |unprivileged_from, may_bind_privileged| Facts { unprivileged_from, may_bind_privileged, ..CLOSED };
    for (port, from, may, expected) in [
        (80, Some(1024), Some(false), Code::PrivilegedPort),
        (80, Some(1024), None, Code::PrivilegedPort),
        (80, Some(1024), Some(true), Code::ForbiddenBySecurityModule),
        (80, Some(80), Some(false), Code::ForbiddenBySecurityModule),
        (79, Some(80), Some(false), Code::PrivilegedPort),
        (8080, Some(1024), Some(false), Code::ForbiddenBySecurityModule),
        (80, None, Some(false), Code::AccessDenied),
        (8080, None, None, Code::AccessDenied),
        (0, None, None, Code::ForbiddenBySecurityModule),
        (0, Some(1024), Some(false), Code::ForbiddenBySecurityModule),
    ] {
        assert_eq!(
            code("EACCES", &socket("::", port), facts(from, may)),
            expected,
            "{port} {from:?} {may:?}"
        );
    }
    let cause = explained("EACCES", Operation::Bind, &socket("::", 80), facts(Some(443), Some(false)));
    assert!(cause.summary.contains("below 443") && cause.summary.contains("CAP_NET_BIND_SERVICE"));
}

#[test]
fn arguments_that_are_not_valid() {
    let bound = |is_bound| Facts { is_bound, ..CLOSED };
    let v4 = socket("127.0.0.1", 80);
    assert_eq!(code("EINVAL", &v4, bound(true)), Code::AlreadyBound);
    assert_eq!(code("EINVAL", &v4, bound(false)), Code::SockaddrSize);
    for state in [State::Listen, State::Established, State::CloseWait] {
        assert_eq!(code("EINVAL", &v4, Facts::unknown(state)), Code::AlreadyBound, "{state:?}");
    }
    assert_eq!(code("EINVAL", &socket("::ffff:1.2.3.4", 80), bound(false)), Code::FamilyMismatch);
}

#[test]
fn addresses_that_ipv6_does_not_take() {
    let only_v6 = |address: &str| {
        let mut socket = socket(address, 80);
        socket.options.v6_only = true;
        socket
    };
    let on_interface = |address: &str| {
        let mut socket = socket(address, 80);
        socket.interface = Some(Interface { index: 2, name: None });
        socket
    };
    let datagram = |address: &str| Socket { protocol: Protocol::Udp, ..socket(address, 80) };
    for (socket, expected) in [
        (socket("ff02::1", 80), Code::MulticastOnStream),
        (datagram("ff02::1"), Code::SockaddrSize),
        (only_v6("::ffff:1.2.3.4"), Code::MappedOnV6only),
        (only_v6("::1"), Code::SockaddrSize),
        (socket("fe80::1", 80), Code::LinkLocalWithoutInterface),
        (on_interface("fe80::1"), Code::SockaddrSize),
    ] {
        assert_eq!(code("EINVAL", &socket, CLOSED), expected, "{socket:?}");
        assert_eq!(code("EINVAL", &socket, Facts { is_bound: true, ..CLOSED }), Code::AlreadyBound);
    }
}

#[test]
fn sockets_that_do_not_listen() {
    let socket = socket("127.0.0.1", 80);
    for (state, expected) in [
        (State::Established, Code::AlreadyConnected),
        (State::SynSent, Code::AlreadyConnected),
        (State::Bound, Code::InvalidArgument),
    ] {
        assert_eq!(explained("EINVAL", Operation::Listen, &socket, Facts::unknown(state)).code, expected);
    }
}
