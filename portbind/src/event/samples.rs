//! Refusals for the tests of the formats.

use std::net::IpAddr;
use std::rc::Rc;

use jiff::Timestamp;

use super::code::Code;
use super::container::{Container, Pod, Runtime};
use super::errno::Errno;
use super::holder::{Holder, HolderProcess, Ownership, State};
use super::job::{CiJob, Job, Test};
use super::moment::SocketId;
use super::process::{Ancestor, Process};
use super::shell_command::ShellCommand;
use super::socket::{Family, Interface, Options, Protocol, Socket};
use crate::event::{Cause, Confidence, Fix, Operation, Refusal};

/// One listener in the way.
pub(crate) fn listener() -> Refusal {
    Refusal {
        time: time("2026-11-23T12:04:31.512345678Z"),
        operation: Operation::Bind,
        error: Errno::EADDRINUSE,
        process: Rc::new(Process {
            exe: Some("/usr/bin/python3.11".to_owned()),
            args: ["python3", "-m", "pytest"].map(str::to_owned).to_vec(),
            gid: Some(1000),
            cgroup: Some("/user.slice".to_owned()),
            started: Some(time("2026-11-23T12:04:00Z")),
            ..process(48213, "pytest", &[(48100, "bash")])
        }),
        socket: Socket {
            family: Family::Inet,
            protocol: Protocol::Tcp,
            address: ip("0.0.0.0"),
            port: 8080,
            name: None,
            netns: 4_026_531_840,
            netns_name: None,
            interface: None,
            options: Options::default(),
            uid: 1000,
        },
        holders: vec![held_by_java()],
        holders_truncated: false,
        bystanders: 0,
        cause: cause(
            Code::Listener,
            "another program is listening there, and neither socket set SO_REUSEPORT",
        ),
        relation: None,
        fixes: Vec::new(),
        history: Vec::new(),
        confidence: Confidence::Kernel,
        backend: "fexit",
        lost: 0,
        on_behalf: None,
    }
}

/// A listener of java on 0.0.0.0:8080.
pub(crate) fn held_by_java() -> Holder {
    Holder {
        id: SocketId { object: 1, inode: 53719 },
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
        options_known: true,
        ownership: Ownership::Process,
        time_wait_left_ms: None,
        backlog: Some((3, 128)),
        opened_by: None,
        since: None,
        left_by: None,
        processes: vec![open(process(47990, "java", &[(47900, "gradle"), (1, "systemd")]), &[7])],
        more_processes: 0,
    }
}

/// Three sockets without a process: TIME_WAIT, closed by its owner, not accepted; and a kernel socket.
pub(crate) fn time_wait() -> Refusal {
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
        opened_by: None,
        since: None,
        left_by: None,
        processes: vec![],
        more_processes: 0,
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
        cause: cause(Code::TimeWait, "connections that were closed a moment ago still occupy the port"),
        ..listener()
    }
}

/// No holder found.
pub(crate) fn vanished() -> Refusal {
    Refusal {
        holders: vec![],
        cause: cause(Code::Vanished, "whatever was there is gone"),
        confidence: Confidence::Afterwards,
        lost: 2,
        ..listener()
    }
}

/// A socket with several owners, two that do not conflict, and more.
pub(crate) fn several() -> Refusal {
    let worker = |pid, fds: &[u32]| open(process(pid, "nginx", &[(900, "nginx")]), fds);
    let held = Holder {
        opened_by: None,
        since: None,
        left_by: None,
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

/// Names with escape sequences for terminals and CI systems.
pub(crate) fn hostile() -> Refusal {
    let evil = "::error::x\u{1b}[2J\n##vso[task]";
    let mut refusal = listener();
    let caller = Rc::make_mut(&mut refusal.process);
    caller.comm = evil.to_owned();
    caller.args = vec![evil.to_owned(), "\u{202e}\u{9b}".to_owned()];
    let holder = &mut refusal.holders[0];
    holder.interface = Some(Interface { index: 2, name: Some("e:\n".to_owned()) });
    holder.processes = vec![open(
        Process { user: Some("r\u{200b}oot".to_owned()), ..process(5, "##[group]", &[(4, "a\\nb")]) },
        &[3],
    )];
    Rc::make_mut(&mut refusal.process).unit = Some(format!("{evil}.service"));
    Rc::make_mut(&mut refusal.process).job = Some(Box::new(Job {
        test: Some(Test { runner: "jest", name: Some(evil.to_owned()), ..Test::default() }),
        ci: Some(CiJob { system: "gitlab", name: Some(evil.to_owned()), ..CiJob::default() }),
    }));
    let holder = &mut refusal.holders[0];
    let pod = Pod { name: Some(evil.to_owned()), namespace: Some("##[x]".to_owned()), uid: None };
    let container =
        Container { name: Some(evil.to_owned()), pod: Some(pod), ..Container::new(String::new(), None) };
    Rc::make_mut(&mut holder.processes[0].process).container = Some(Box::new(container));
    refusal.cause.summary = format!("{evil} holds it on [::]:8080");
    refusal
}

/// IPv6, dual stack, on an interface.
pub(crate) fn ipv6() -> Refusal {
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

/// A test against a container, and against a socket held by systemd.
pub(crate) fn people() -> Refusal {
    let mut refusal = listener();
    let job = |pid, worker: &str| Job {
        test: Some(Test {
            runner: "pytest",
            name: Some("tests/test_api.py::test_x".to_owned()),
            worker: Some(worker.to_owned()),
            pid,
            ..Test::default()
        }),
        ci: Some(CiJob {
            system: "github",
            project: Some("acme/shop".to_owned()),
            workflow: Some("CI".to_owned()),
            name: Some("build".to_owned()),
            run: Some("77".to_owned()),
            attempt: Some("1".to_owned()),
            pid: 48100,
            ..CiJob::default()
        }),
    };
    refusal.socket.netns_name = Some("blue".to_owned());
    Rc::make_mut(&mut refusal.process).unit = Some("runner.service".to_owned());
    Rc::make_mut(&mut refusal.process).job = Some(Box::new(job(48213, "gw1")));
    let container = Container {
        id: "0123456789abcdef".repeat(4),
        runtime: Some(Runtime::Containerd),
        name: Some("nginx".to_owned()),
        pod: Some(Pod {
            uid: Some("0a1b2c3d-0000-4444-8888-0123456789ab".to_owned()),
            namespace: Some("shop".to_owned()),
            name: Some("web-7d9f".to_owned()),
        }),
        is_nested: false,
    };
    let nginx = Process {
        unit: Some(format!("cri-containerd-{}.scope", container.id)),
        container: Some(Box::new(container)),
        ..process(900, "nginx", &[(890, "containerd-shim"), (1, "systemd")])
    };
    let systemd = Process { unit: Some("web.socket".to_owned()), ..process(1, "systemd", &[]) };
    let helper =
        Process { job: Some(Box::new(job(47990, "gw0"))), ..process(47990, "java", &[(47900, "gradle")]) };
    refusal.holders[0].processes = vec![open(nginx, &[6]), open(systemd, &[40]), open(helper, &[7])];
    refusal
}

/// Two remedies, one with a command.
pub(crate) fn fixes() -> Vec<Fix> {
    let stop = ShellCommand::kill(&[47990]).unwrap();
    vec![
        Fix { code: "other-port", text: "use another port: 8081 is free".to_owned(), command: None },
        Fix { code: "stop-holder", text: format!("stop java: {stop}"), command: Some(stop) },
    ]
}

/// No port left for a connect.
pub(crate) fn exhausted() -> Refusal {
    let mut refusal = listener();
    refusal.operation = Operation::Autobind;
    refusal.error = Errno::EAGAIN;
    refusal.socket.port = 0;
    refusal.holders = vec![];
    refusal.cause = cause(Code::PortRangeExhausted, "no port is left in the ephemeral range");
    refusal
}

/// An error without a name, on a protocol without a name.
pub(crate) fn unknown() -> Refusal {
    let mut refusal = exhausted();
    refusal.operation = Operation::Unknown;
    refusal.error = Errno(133);
    refusal.socket.protocol = Protocol::Other(132);
    refusal.socket.port = 80;
    refusal.cause = cause(Code::AddressInUseElsewhere, "not explained");
    refusal
}

fn cause(code: Code, summary: &str) -> Cause {
    Cause { code, summary: summary.to_owned() }
}

fn process(pid: u32, comm: &str, ancestors: &[(u32, &str)]) -> Process {
    let ancestors = ancestors.iter().map(|&(pid, comm)| Ancestor::new(pid, comm.to_owned()));
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
    HolderProcess { process: Rc::new(process), fds: fds.to_vec(), close_on_exec: None }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn all() -> [Refusal; 9] {
    [listener(), time_wait(), vanished(), several(), hostile(), ipv6(), people(), exhausted(), unknown()]
}
