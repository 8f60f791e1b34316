use super::*;
use crate::diagnosis::event::{Interface, Options};

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

fn told(error: &str, operation: Operation, socket: &Socket, facts: Facts) -> Cause {
    explain(Errno::from_name(error).unwrap(), operation, socket, &facts)
}

/// The code for a bind.
fn code(error: &str, socket: &Socket, facts: Facts) -> &'static str {
    told(error, Operation::Bind, socket, facts).code
}

const CLOSED: Facts = Facts::unknown(State::Bound);

#[test]
fn errors_with_one_meaning() {
    let socket = socket("127.0.0.1", 80);
    for (error, operation, expected) in [
        ("EAFNOSUPPORT", Operation::Bind, "family-mismatch"),
        ("ENODEV", Operation::Bind, "no-such-interface"),
        ("EPERM", Operation::Bind, "forbidden-by-program"),
        ("EPERM", Operation::Listen, "forbidden-by-program"),
        ("EFAULT", Operation::Bind, "bad-pointer"),
        ("ENOMEM", Operation::Bind, "no-memory"),
        ("ENOBUFS", Operation::Listen, "no-memory"),
        ("EOPNOTSUPP", Operation::Listen, "cannot-listen"),
        ("EOPNOTSUPP", Operation::Bind, "other-error"),
        ("EACCES", Operation::Listen, "forbidden-by-security-module"),
        ("EROFS", Operation::Bind, "other-error"),
    ] {
        assert_eq!(told(error, operation, &socket, CLOSED).code, expected, "{error} of {operation:?}");
    }
}

#[test]
fn addresses_that_are_not_available() {
    let with = |presence| Facts { presence, ..CLOSED };
    for (presence, expected, word) in [
        (Some(Presence::Absent), "address-not-local", "ip_nonlocal_bind"),
        (Some(Presence::Present), "address-not-local", "though it is now"),
        (Some(Presence::OtherInterface), "address-not-local", "interface eth0"),
        (Some(Presence::Tentative), "address-tentative", "still tentative"),
        (Some(Presence::Duplicate), "address-tentative", "another machine"),
        (None, "address-not-local", "or still tentative"),
    ] {
        let mut socket = socket("2001:db8::1", 80);
        socket.interface = Some(Interface { index: 2, name: Some("eth0".to_owned()) });
        let cause = told("EADDRNOTAVAIL", Operation::Bind, &socket, with(presence));
        assert_eq!(cause.code, expected, "{presence:?}");
        assert!(cause.summary.contains(word) && cause.summary.contains("[2001:db8::1]"), "{}", cause.summary);
    }
    // IPv4 knows no tentative addresses, not even in an IPv6 socket.
    for address in ["192.0.2.1", "::ffff:192.0.2.1"] {
        let cause = told("EADDRNOTAVAIL", Operation::Bind, &socket(address, 80), CLOSED);
        assert!(!cause.summary.contains("tentative"), "{}", cause.summary);
    }
}

#[test]
fn privileged_ports() {
    let facts =
        |unprivileged_from, may_bind_privileged| Facts { unprivileged_from, may_bind_privileged, ..CLOSED };
    for (port, from, may, expected) in [
        (80, Some(1024), Some(false), "privileged-port"),
        (80, Some(1024), None, "privileged-port"),
        (80, Some(1024), Some(true), "forbidden-by-security-module"),
        (80, Some(80), Some(false), "forbidden-by-security-module"),
        (79, Some(80), Some(false), "privileged-port"),
        (8080, Some(1024), Some(false), "forbidden-by-security-module"),
        (80, None, Some(false), "access-denied"),
        (8080, None, None, "access-denied"),
        (0, None, None, "forbidden-by-security-module"),
        (0, Some(1024), Some(false), "forbidden-by-security-module"),
    ] {
        assert_eq!(
            code("EACCES", &socket("::", port), facts(from, may)),
            expected,
            "{port} {from:?} {may:?}"
        );
    }
    let cause = told("EACCES", Operation::Bind, &socket("::", 80), facts(Some(443), Some(false)));
    assert!(cause.summary.contains("below 443") && cause.summary.contains("CAP_NET_BIND_SERVICE"));
}

#[test]
fn arguments_that_are_not_valid() {
    let bound = |is_bound| Facts { is_bound, ..CLOSED };
    let v4 = socket("127.0.0.1", 80);
    assert_eq!(code("EINVAL", &v4, bound(Some(true))), "already-bound");
    assert_eq!(code("EINVAL", &v4, bound(Some(false))), "sockaddr-size");
    assert_eq!(code("EINVAL", &v4, bound(None)), "invalid-argument");
    for state in [State::Listen, State::Established, State::CloseWait] {
        assert_eq!(code("EINVAL", &v4, Facts::unknown(state)), "already-bound", "{state:?}");
    }
    assert_eq!(code("EINVAL", &socket("::ffff:1.2.3.4", 80), bound(Some(false))), "family-mismatch");
}

#[test]
fn what_ipv6_does_not_take() {
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
        (socket("ff02::1", 80), "multicast-on-stream"),
        (datagram("ff02::1"), "invalid-argument"),
        (only_v6("::ffff:1.2.3.4"), "mapped-on-v6only"),
        (only_v6("::1"), "invalid-argument"),
        (socket("fe80::1", 80), "link-local-without-interface"),
        (on_interface("fe80::1"), "invalid-argument"),
    ] {
        assert_eq!(code("EINVAL", &socket, CLOSED), expected, "{socket:?}");
        assert_eq!(code("EINVAL", &socket, Facts { is_bound: Some(true), ..CLOSED }), "already-bound");
    }
}

#[test]
fn sockets_that_do_not_listen() {
    let socket = socket("127.0.0.1", 80);
    for (state, expected) in [
        (State::Established, "already-connected"),
        (State::SynSent, "already-connected"),
        (State::Bound, "invalid-argument"),
    ] {
        assert_eq!(told("EINVAL", Operation::Listen, &socket, Facts::unknown(state)).code, expected);
    }
}
