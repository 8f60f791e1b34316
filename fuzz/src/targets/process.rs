//! Files below `/proc`, of processes that have chosen their names, arguments and environments.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use portbind::event::{Errno, Family, Holder, HolderProcess, Operation, Process, Protocol, Socket, State};
use portbind::host::bind_facts::FailedCall;
use portbind::host::port_usage::usage;
use portbind::host::{Host, Privileges, invoker, job, unix_sockets};

use crate::diagnose::{self, Call};
use crate::print;
use crate::tree::{Tree, with_tree};

/// Of processes 1 and 7, of which 7 is described; and of the machine.
const FILES: &[&str] = &[
    "proc/1/comm",
    "proc/1/stat",
    "proc/1/status",
    "proc/1/environ",
    "proc/1/cmdline",
    "@proc/1/exe",
    "proc/7/comm",
    "proc/7/stat",
    "proc/7/status",
    "proc/7/cmdline",
    "proc/7/environ",
    "proc/7/cgroup",
    "proc/7/fdinfo/3",
    "@proc/7/exe",
    "@proc/7/ns/net",
    "@proc/7/ns/user",
    "@proc/self/ns/net",
    "@proc/self/ns/user",
    "@proc/self/ns/pid",
    "proc/self/status",
    "proc/7/net/unix",
    "proc/7/net/tcp",
    "proc/7/net/tcp6",
    "proc/7/net/udp",
    "proc/7/net/fib_trie",
    "proc/7/net/if_inet6",
    "proc/sys/net/ipv4/ip_unprivileged_port_start",
    "proc/sys/kernel/unprivileged_bpf_disabled",
    "sys/kernel/security/lockdown",
    "etc/passwd",
];
/// The network namespace of the refused socket: `net:[9]`.
const NETNS: u32 = 9;
const PID: u32 = 7;

thread_local! {
    static TREE: Option<Tree> = Tree::new(FILES);
}

/// Looks at the process and at its network namespace, and prints what is found.
pub(crate) fn run(data: &[u8]) {
    with_tree(&TREE, data, read_all);
}

fn read_all(tree: &Tree) {
    let host = Host::at(tree.root());
    let privileges = Privileges::read_at(tree.root());
    let _missing = (privileges.missing(), privileges.missing_for_processes());
    let _lineage = (host.lineage(PID), host.cgroup_ids(PID), host.procfs.close_on_exec(PID, 3));
    let _replaced = host.procfs.replaced_sudo(PID, 1000, 1000, std::ffi::OsStr::new("portbind"));
    if let Some(invoker) = host.procfs.invoker(PID, 1000, 1000) {
        let packed = invoker::packed(&invoker.environment);
        assert_eq!(invoker::environment(&packed), invoker.environment, "the environment is another one");
        let _job = job::job_to_be(&packed, PID, None);
    }
    let range = (0, u16::MAX);
    let comm = |pid| host.describe(pid).map(|process| process.comm);
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        let used = usage(&host.procfs, PID, protocol, range, |_| HashMap::new(), comm);
        let _summary = used.as_ref().map(portbind::diagnosis::facts::Usage::summary);
    }
    let process = Rc::new(host.describe(PID).unwrap_or_default());
    for (error, address) in [
        ("EADDRNOTAVAIL", IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ("EADDRNOTAVAIL", IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ("EACCES", IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        ("EINVAL", IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
    ] {
        if let Some(error) = Errno::from_name(error) {
            let socket = socket(address);
            let facts = host.bind_facts(&failed(error, &socket));
            let (process, operation) = (Rc::clone(&process), Operation::Bind);
            let call = Call { error, operation, process, socket, holders: Vec::new(), facts };
            print::in_all_formats(&diagnose::refusal(call));
        }
    }
    held(&host, &process);
}

/// The process holds each socket with a name that the file tells of.
fn held(host: &Host, process: &Rc<Process>) {
    let owner = |mut holder: Holder| {
        holder.processes = vec![HolderProcess::new(Rc::clone(process), vec![3])];
        holder.user.clone_from(&process.user);
        holder
    };
    let sockets = unix_sockets::list(&host.procfs, &PID.to_string());
    let Some(first) = sockets.first() else { return };
    let mut socket = socket(Ipv4Addr::UNSPECIFIED.into());
    (socket.family, socket.protocol) = (Family::Unix, first.protocol);
    socket.name = Some(first.name.clone());
    let holders = sockets.into_iter().take(8).map(|socket| owner(socket.holder())).collect();
    let facts = portbind::diagnosis::other_errors::Facts::unknown(State::Bound);
    let (error, operation, process) = (Errno::EADDRINUSE, Operation::Bind, Rc::clone(process));
    print::in_all_formats(&diagnose::refusal(Call { error, operation, process, socket, holders, facts }));
}

fn socket(address: IpAddr) -> Socket {
    Socket::new(Protocol::Udp, address, 80, NETNS)
}

fn failed(error: Errno, socket: &Socket) -> FailedCall<'_> {
    FailedCall {
        error,
        pid: PID,
        start_boot_ns: 1_000_000_000,
        uid: 1000,
        socket,
        state: State::Bound,
        has_port: false,
        parents: &[(1, 0)],
    }
}
