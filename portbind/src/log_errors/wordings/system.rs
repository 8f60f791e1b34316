//! Containers, the system and its small tools; at the end, wordings that any program may print.

use crate::log_errors::wording::{ROW, Role, Wording};

const DOCKER: &[&str] = &["docker-proxy", "dockerd"];
const SYSTEMD: &[&str] = &["systemd"];

pub(super) const ROWS: &[Wording] = &[
    Wording {
        source: "Docker",
        programs: DOCKER,
        pattern: r"Bind for {at} failed: port is already allocated",
        sample: "Error response from daemon: driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:80 failed: port is already allocated",
        states: "tcp 0.0.0.0:80",
        ..ROW
    },
    Wording {
        source: "Docker",
        programs: DOCKER,
        pattern: r"failed to bind host port (?:for )?{at}(?::[0-9.:]+)?/(?P<protocol>tcp|udp): {used}",
        protocol: None,
        sample: "Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint web: failed to bind host port 0.0.0.0:3493/tcp: address already in use",
        states: "tcp 0.0.0.0:3493",
        ..ROW
    },
    Wording {
        source: "systemd",
        programs: SYSTEMD,
        pattern: r"Failed to create listening socket \((?:{path}|{at})\): {used}",
        protocol: None,
        sample: "Nov 23 12:04:31 build1 systemd[1]: web.socket: Failed to create listening socket ([::]:6600): Address already in use",
        states: "[::]:6600",
        ..ROW
    },
    Wording {
        source: "systemd before 242",
        programs: SYSTEMD,
        pattern: r"Failed to create listening socket: {used}",
        protocol: None,
        sample: "Nov 23 12:04:31 build1 systemd[1]: Failed to create listening socket: Address already in use",
        states: "",
        ..ROW
    },
    Wording {
        source: "systemd",
        programs: SYSTEMD,
        pattern: r"Failed to listen on .*: {used}",
        protocol: None,
        role: Role::Echo,
        sample: "Nov 23 12:04:31 build1 systemd[1]: web.socket: Failed to listen on sockets: Address already in use",
        states: "",
        ..ROW
    },
    Wording {
        source: "socat",
        programs: &["socat"],
        pattern: r"socat\[{pid}\] E bind\(\d+, \{AF=\d+ {at}\}, \d+\): {used}",
        protocol: None,
        sample: "2026/11/23 12:04:31 socat[1253] E bind(5, {AF=2 0.0.0.0:7001}, 16): Address already in use",
        states: "0.0.0.0:7001",
        ..ROW
    },
    Wording {
        source: "iperf3",
        programs: &["iperf3"],
        pattern: r"unable to start listener for connections: {used}",
        sample: "iperf3: error - unable to start listener for connections: Address already in use",
        states: "tcp",
        ..ROW
    },
    Wording {
        source: "Ncat",
        programs: &["ncat"],
        pattern: r"Ncat: bind to {at}: {used}",
        protocol: None,
        sample: "Ncat: bind to 127.0.0.1:7001: Address already in use. QUITTING.",
        states: "127.0.0.1:7001",
        ..ROW
    },
    Wording {
        source: "netcat",
        programs: &["nc"],
        pattern: r"\bnc(?:\.\w+)?: (?:bind: )?{used}",
        protocol: None,
        sample: "nc: bind: Address already in use",
        states: "",
        ..ROW
    },
    Wording {
        source: "any, by the name of the error",
        pattern: r"\bEADDRINUSE\b",
        protocol: None,
        role: Role::Echo,
        sample: "[server] could not start: EADDRINUSE on port 9229",
        states: ":9229",
        ..ROW
    },
    Wording {
        source: "any, in the words of the C library",
        pattern: r"{used}",
        protocol: None,
        sample: "mydaemon: bind 127.0.0.1:4711: Adresse déjà utilisée",
        states: "127.0.0.1:4711",
        ..ROW
    },
];
