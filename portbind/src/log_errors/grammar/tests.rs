//! The grammar on lines by themselves.

use super::{claims, read};

#[test]
fn patterns_compile() {
    if let Err(error) = claims::Claims::compile() {
        panic!("{error}");
    }
}

/// What a line is read as; `None` if it says nothing.
fn place_in(line: &str) -> Option<String> {
    let reading = read(line.as_bytes())?;
    Some(reading.targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

#[test]
fn forms_of_places() {
    for (place, expected) in [
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("[::]:80", "[::]:80"),
        (":::80", "[::]:80"),
        ("*:80", "*:80"),
        (":8080", ":8080"),
        ("localhost:80", "localhost:80"),
        ("[127.0.0.1:80]", "127.0.0.1:80"),
        ("('127.0.0.1', 8011)", "127.0.0.1:8011"),
        ("('::', 8011, 0, 0)", "[::]:8011"),
        ("port 80", ":80"),
        ("port: 80", ":80"),
        ("port=80", ":80"),
        ("port '80'", ":80"),
        ("0.0.0.0 port 80", "0.0.0.0:80"),
        ("port 80 on ::", "[::]:80"),
        ("http://localhost:8014/x", "tcp localhost:8014"),
        ("tcp://[::1]:8014", "tcp [::1]:8014"),
        ("ports 80, 81 and 82", ":80, :81, :82"),
        ("port(s) 80,81", ":80, :81"),
        ("tcp/80", "tcp :80"),
        ("80/udp", "udp :80"),
        ("tcp::2223-:22", "tcp :2223"),
        ("unix:/run/a.sock", "/run/a.sock"),
        ("unix:///run/a", "/run/a"),
        ("\"/tmp/a.sock\"", "/tmp/a.sock"),
        ("unix:path=/run/user/7/bus", "/run/user/7/bus"),
        ("/127.0.0.1:80", "127.0.0.1:80"),
        ("[AF_INET]127.0.0.1:80", "127.0.0.1:80"),
        ("[{port,80},{ip,{127,0,0,1}}]", "127.0.0.1:80"),
        ("{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"0.0.0.0\")}", "0.0.0.0:80"),
        ("0.0.0.0#53", "0.0.0.0:53"),
        ("127.0.0.1:[80]", "127.0.0.1:80"),
        ("(\"localhost\", 8011)", "localhost:8011"),
        ("{{127,0,0,1},80}", "127.0.0.1:80"),
        ("0.0.0.0/8080", "0.0.0.0:8080"),
        ("ports 80-82", ":80, :81, :82"),
        ("ports 8080/8443", ":8080, :8443"),
        ("Port - 80", ":80"),
        ("puerto 80", ":80"),
        ("порт 80", ":80"),
        ("порту 80", ":80"),
        ("端口 80", ":80"),
        ("80番ポート", ":80"),
        ("'/tmp/a b;c/x.sock'", "/tmp/a b;c/x.sock"),
        ("\"/tmp/a (1).sock\"", "/tmp/a (1).sock"),
        ("/tmp/a(1).sock", "/tmp/a(1).sock"),
        ("unix a.sock", "a.sock"),
        ("unix @a-name", "@a-name"),
    ] {
        for line in [
            format!("cannot bind to {place}"),
            format!("{place}: address already in use"),
            format!("EADDRINUSE {place}"),
            format!("2026-11-23T12:04:31Z web-1 | failed to listen on {place}: Address already in use (98)"),
        ] {
            assert_eq!(place_in(&line).as_deref(), Some(expected), "{line}");
        }
    }
}

#[test]
fn lines_of_another_kind() {
    for line in [
        "port 8080 is not in use",
        "checking whether port 8080 is in use",
        "make sure that port 8080 is not already in use",
        "setsockopt SO_REUSEADDR on 0.0.0.0:80",
        "bound to port 80",
        "the socket is bound to 127.0.0.1:80",
        "unix /run/x: a socket file that no socket is bound to",
        "Server already running",
        "listening on 0.0.0.0:80",
        "test net::test_address_in_use ... ok",
        "test net::address already in use ... ok",
        "ok 12 - listen fails with EADDRINUSE on port 80",
        "  ✓ fails with EADDRINUSE (7ms)",
        "PASSED tests/test_a.py::test_port[port 80 is already in use]",
        "12 |     if errno == EADDRINUSE {",
        "#define EADDRINUSE 98 /* Address already in use */",
        "        io::ErrorKind::AddrInUse => retry(),",
        "8c24f42 net: fix address already in use on port 80",
        "failed to bind to 0.0.0.0:80: Permission denied",
        "bind: Cannot assign requested address 10.0.0.1:80",
        "could not bind parameter 3",
        "failed to bind texture to port 3",
        "12 connections in use",
        "mount: /mnt is busy, already in use",
        "make: *** [all] Error 98",
        "/var/lib/dpkg/lock is in use by process 4711",
        "package foo is already installed at version 1.2.3",
    ] {
        assert_eq!(place_in(line), None, "{line}");
    }
}

#[test]
fn lines_without_a_port() {
    for line in [
        "ports 30000-39999 are in use",
        "port8080 port: address already in use",
        "экспорт 80: address already in use",
        "レポート 80: address already in use",
        "x.c(:434): address already in use",
        "10.0.0.0/24: bind: address already in use",
        "'/run/a b': address already in use",
    ] {
        let ports = read(line.as_bytes()).into_iter().flat_map(|reading| reading.targets);
        assert_eq!(ports.filter_map(|target| target.port).next(), None, "{line}");
    }
}

#[test]
fn lists_of_ports() {
    for (line, expected) in [
        ("ports are already in use: 80 443", ":80, :443"),
        ("Port(s) already in use: web:80, tls:443", ":80, :443"),
        ("port(s) already in use: web=80, db=5432", ":80, :5432"),
        ("ports in use: STUN(UDP:3478)", "udp :3478"),
        ("以下端口已被占用: 3306 6379", ":3306, :6379"),
    ] {
        assert_eq!(place_in(line).as_deref(), Some(expected), "{line}");
    }
}

#[test]
fn refusals_without_a_place() {
    for line in [
        "bind: Address already in use",
        "drbd r0: bind before listen failed, err = -98",
        "Rocket failed to bind network socket to given address/port.",
        "{:error, :eaddrinuse}",
        "errno: -98, syscall: 'listen'",
    ] {
        assert_eq!(place_in(line).as_deref(), Some(""), "{line}");
    }
}
