//! Refusals for the tests of the formats.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::diagnosis::errno::Errno;
use crate::diagnosis::event::{
    Ancestor, Cause, Confidence, Family, Holder, HolderProcess, Interface, Operation, Options, Ownership,
    Process, Protocol, Refusal, Socket, State,
};

/// One listener in the way.
pub(super) fn listener() -> Refusal {
    Refusal {
        time: time("2026-11-23T12:04:31.512345678Z"),
        operation: Operation::Bind,
        error: Errno::EADDRINUSE,
        process: Process {
            exe: Some("/usr/bin/python3.11".to_owned()),
            args: ["python3", "-m", "pytest"].map(str::to_owned).to_vec(),
            gid: Some(1000),
            cgroup: Some("/user.slice".to_owned()),
            started: Some(time("2026-11-23T12:04:00Z")),
            ..process(48213, "pytest", &[(48100, "bash")])
        },
        socket: Socket {
            family: Family::Inet,
            protocol: Protocol::Tcp,
            address: ip("0.0.0.0"),
            port: 8080,
            name: None,
            netns: 4_026_531_840,
            interface: None,
            options: Options::default(),
            uid: 1000,
        },
        holders: vec![held_by_java()],
        holders_truncated: false,
        bystanders: 0,
        cause: cause("listener", "another program is listening there, and neither socket set SO_REUSEPORT"),
        confidence: Confidence::Kernel,
        backend: "fexit",
        lost: 0,
    }
}

/// A listener of java on 0.0.0.0:8080.
pub(super) fn held_by_java() -> Holder {
    Holder {
        state: State::Listen,
        conflicts: true,
        protocol: Protocol::Tcp,
        family: Family::Inet,
        address: ip("0.0.0.0"),
        port: 8080,
        name: None,
        peer: None,
        interface: None,
        inode: Some(53719),
        uid: Some(1000),
        user: Some("ci".to_owned()),
        options: Options { reuse_address: true, ..Options::default() },
        ownership: Ownership::Process,
        time_wait_left_ms: None,
        backlog: Some((3, 128)),
        processes: vec![open(process(47990, "java", &[(47900, "gradle"), (1, "systemd")]), &[7])],
    }
}

/// Three sockets without a process: TIME_WAIT, closed by its owner, not accepted; one of the kernel.
pub(super) fn time_wait() -> Refusal {
    let ownerless = |state, ownership, peer: u16, left| Holder {
        state,
        ownership,
        address: ip("127.0.0.1"),
        peer: Some((ip("127.0.0.1"), peer)),
        inode: None,
        uid: None,
        user: None,
        time_wait_left_ms: left,
        backlog: None,
        processes: vec![],
        ..held_by_java()
    };
    Refusal {
        holders: vec![
            ownerless(State::TimeWait, Ownership::TimeWait, 51234, Some(59_949)),
            ownerless(State::TimeWait, Ownership::TimeWait, 51235, Some(0)),
            ownerless(State::FinWait1, Ownership::Orphan, 51236, None),
            ownerless(State::Established, Ownership::NotAccepted, 51237, None),
            Holder { peer: None, ..ownerless(State::Listen, Ownership::Kernel, 0, None) },
        ],
        cause: cause("time-wait", "connections that were closed a moment ago still occupy the port"),
        ..listener()
    }
}

/// Nobody found.
pub(super) fn vanished() -> Refusal {
    Refusal {
        holders: vec![],
        cause: cause("vanished", "whatever was there is gone"),
        confidence: Confidence::Afterwards,
        lost: 2,
        ..listener()
    }
}

/// One socket open in several processes, two that do not conflict, and more.
pub(super) fn several() -> Refusal {
    let worker = |pid, fds: &[u32]| open(process(pid, "nginx", &[(900, "nginx")]), fds);
    let held = Holder {
        processes: vec![open(process(900, "nginx", &[]), &[6, 9]), worker(901, &[6]), worker(902, &[6])],
        ..held_by_java()
    };
    let unknown = Holder { processes: vec![], protocol: Protocol::Mptcp, ..held_by_java() };
    let free = Holder { conflicts: false, state: State::Established, ..held_by_java() };
    Refusal {
        holders: vec![held, unknown, free.clone(), free],
        holders_truncated: true,
        bystanders: 1,
        ..listener()
    }
}

/// Names that try to act on the terminal and on CI systems.
pub(super) fn hostile() -> Refusal {
    let evil = "::error::x\u{1b}[2J\n##vso[task]";
    let mut refusal = listener();
    refusal.process.comm = evil.to_owned();
    refusal.process.args = vec![evil.to_owned(), "\u{202e}\u{9b}".to_owned()];
    let holder = &mut refusal.holders[0];
    holder.interface = Some(Interface { index: 2, name: Some("e:\n".to_owned()) });
    holder.processes = vec![open(
        Process { user: Some("r\u{200b}oot".to_owned()), ..process(5, "##[group]", &[(4, "a\\nb")]) },
        &[3],
    )];
    refusal.cause.summary = format!("{evil} holds it on [::]:8080");
    refusal
}

/// IPv6, dual stack, on an interface.
pub(super) fn ipv6() -> Refusal {
    let mut refusal = listener();
    refusal.socket = Socket {
        family: Family::Inet6,
        protocol: Protocol::Udp,
        address: ip("fe80::1"),
        port: 5353,
        interface: Some(Interface { index: 3, name: Some("eth0".to_owned()) }),
        options: Options { v6_only: true, ..Options::default() },
        ..refusal.socket
    };
    refusal.holders[0] = Holder {
        state: State::Bound,
        protocol: Protocol::Udp,
        family: Family::Inet6,
        address: ip("::ffff:1.2.3.4"),
        port: 5353,
        interface: Some(Interface { index: 9, name: None }),
        backlog: None,
        ..held_by_java()
    };
    refusal
}

/// No port left for a connect.
pub(super) fn exhausted() -> Refusal {
    let mut refusal = listener();
    refusal.operation = Operation::Autobind;
    refusal.error = Errno::EAGAIN;
    refusal.socket.port = 0;
    refusal.holders = vec![];
    refusal.cause = cause("port-range-exhausted", "no port is left in the ephemeral range");
    refusal
}

/// An error without a name, on a protocol without a name.
pub(super) fn unknown() -> Refusal {
    let mut refusal = exhausted();
    refusal.operation = Operation::Unknown;
    refusal.error = Errno(133);
    refusal.socket.protocol = Protocol::Other(132);
    refusal.socket.port = 80;
    refusal.cause = cause("address-in-use-elsewhere", "not explained");
    refusal
}

fn cause(code: &'static str, summary: &str) -> Cause {
    Cause { code, summary: summary.to_owned() }
}

fn process(pid: u32, comm: &str, ancestors: &[(u32, &str)]) -> Process {
    let ancestors = ancestors.iter().map(|&(pid, comm)| Ancestor { pid, comm: comm.to_owned() });
    Process {
        pid,
        tid: pid,
        comm: comm.to_owned(),
        uid: Some(1000),
        user: Some("ci".to_owned()),
        ancestors: ancestors.collect(),
        ..Process::default()
    }
}

fn open(process: Process, fds: &[u32]) -> HolderProcess {
    HolderProcess { process, fds: fds.to_vec() }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}
