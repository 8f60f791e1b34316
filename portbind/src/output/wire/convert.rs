//! From what is known to what is written.

use super::{
    Backlog, Cause, Container, Error, Event, Fix, Holder, HolderProcess, Interface, Moment, Netlink, Opener,
    Options, Peer, Process, Relative, Release, SCHEMA, Socket, Test, Vsock,
};
use crate::diagnosis::{event, history};

impl<'a> From<&'a event::Refusal> for Event<'a> {
    fn from(refusal: &'a event::Refusal) -> Self {
        Self {
            schema: SCHEMA,
            kind: "refusal",
            time: refusal.time,
            operation: refusal.operation.as_str(),
            error: Error { name: refusal.error.name(), number: refusal.error.0 },
            process: Process::from(&*refusal.process),
            socket: Socket::from(&refusal.socket),
            holders: refusal.holders.iter().map(Holder::from).collect(),
            holders_truncated: refusal.holders_truncated,
            bystanders: refusal.bystanders,
            cause: Cause { code: refusal.cause.code.as_str(), summary: &refusal.cause.summary },
            confidence: refusal.confidence.as_str(),
            fixes: refusal.fixes.iter().map(Fix::from).collect(),
            history: refusal.history.iter().map(Moment::from).collect(),
            backend: refusal.backend,
            lost: refusal.lost,
        }
    }
}

impl<'a> From<&'a event::Process> for Process<'a> {
    fn from(process: &'a event::Process) -> Self {
        Self {
            pid: process.pid,
            tid: process.tid,
            comm: &process.comm,
            exe: process.exe.as_deref(),
            args: &process.args,
            args_truncated: process.args_truncated,
            uid: process.uid,
            gid: process.gid,
            user: process.user.as_deref(),
            cgroup: process.cgroup.as_deref(),
            started: process.started,
            ancestors: process.ancestors.iter().map(Relative::from).collect(),
            container: process.container.as_ref().map(Container::from),
            unit: process.unit.as_deref(),
            test: process.job.as_ref().map(Test::from),
        }
    }
}

impl<'a> From<&'a event::Socket> for Socket<'a> {
    fn from(socket: &'a event::Socket) -> Self {
        Self {
            family: family(socket.family),
            protocol: protocol(socket.protocol),
            address: socket.endpoint().map(|(address, _)| address),
            port: socket.endpoint().map(|(_, port)| port),
            path: socket.name.as_ref().and_then(event::Name::path),
            netlink: socket.name.as_ref().and_then(netlink),
            vsock: socket.name.as_ref().and_then(vsock),
            netns: socket.netns,
            netns_name: socket.netns_name.as_deref(),
            interface: socket.interface.as_ref().map(Interface::from),
            options: Options::from(socket.options),
            uid: socket.uid,
        }
    }
}

impl<'a> From<&'a event::Holder> for Holder<'a> {
    fn from(holder: &'a event::Holder) -> Self {
        Self {
            state: holder.state.as_str(),
            conflicts: holder.conflicts,
            protocol: protocol(holder.protocol),
            family: family(holder.family),
            address: holder.endpoint().map(|(address, _)| address),
            port: holder.endpoint().map(|(_, port)| port),
            path: holder.name.as_ref().and_then(event::Name::path),
            peer: holder.peer.map(|(address, port)| Peer { address, port }),
            interface: holder.interface.as_ref().map(Interface::from),
            inode: holder.inode,
            uid: holder.uid,
            user: holder.user.as_deref(),
            options: Options::from(holder.options),
            ownership: holder.ownership.as_str(),
            backlog: holder.backlog.map(|(waiting, max)| Backlog { waiting, max }),
            since: holder.since,
            time_wait_left_ms: holder.time_wait_left_ms,
            opened_by: holder.opened_by.as_deref().map(Opener::from),
            left_by: holder.left_by.as_deref().map(Opener::from),
            processes: holder.processes.iter().map(HolderProcess::from).collect(),
        }
    }
}

impl<'a> From<&'a event::HolderProcess> for HolderProcess<'a> {
    fn from(holder: &'a event::HolderProcess) -> Self {
        let process = &holder.process;
        Self {
            pid: process.pid,
            comm: &process.comm,
            fd: holder.fds.first().copied(),
            fds: &holder.fds,
            exe: process.exe.as_deref(),
            args: &process.args,
            args_truncated: process.args_truncated,
            uid: process.uid,
            user: process.user.as_deref(),
            cgroup: process.cgroup.as_deref(),
            started: process.started,
            ancestors: process.ancestors.iter().map(Relative::from).collect(),
            container: process.container.as_ref().map(Container::from),
            unit: process.unit.as_deref(),
            test: process.job.as_ref().map(Test::from),
        }
    }
}

impl<'a> From<&'a event::Release> for Release<'a> {
    fn from(release: &'a event::Release) -> Self {
        Self {
            schema: SCHEMA,
            kind: "release",
            time: release.time,
            refused: release.refused,
            after_ms: release.after().as_millis_f64(),
            process: Relative { pid: release.process.pid, comm: &release.process.comm },
            socket: Socket::from(&release.socket),
        }
    }
}

impl<'a> From<&'a event::Fix> for Fix<'a> {
    fn from(fix: &'a event::Fix) -> Self {
        Self { code: fix.code, text: &fix.text, command: fix.command.as_deref() }
    }
}

impl<'a> From<&'a event::Process> for Opener<'a> {
    fn from(process: &'a event::Process) -> Self {
        Self {
            pid: process.pid,
            comm: &process.comm,
            exe: process.exe.as_deref(),
            args: &process.args,
            uid: process.uid,
            started: process.started,
            ancestors: process.ancestors.iter().map(Relative::from).collect(),
        }
    }
}

impl<'a> From<&'a history::Moment> for Moment<'a> {
    fn from(moment: &'a history::Moment) -> Self {
        Self {
            time: moment.time,
            what: moment.what.as_str(),
            any: matches!(moment.what, history::What::Bound { any: true }),
            address: moment.address,
            peer: moment.peer.map(|(address, port)| Peer { address, port }),
            inode: (moment.socket.inode != 0).then_some(moment.socket.inode),
            process: moment.process.as_deref().map(Opener::from),
        }
    }
}

impl<'a> From<&'a event::Ancestor> for Relative<'a> {
    fn from(ancestor: &'a event::Ancestor) -> Self {
        Self { pid: ancestor.pid, comm: &ancestor.comm }
    }
}

impl<'a> From<&'a event::Interface> for Interface<'a> {
    fn from(interface: &'a event::Interface) -> Self {
        Self { index: interface.index, name: interface.name.as_deref() }
    }
}

impl From<event::Options> for Options {
    fn from(options: event::Options) -> Self {
        let event::Options { reuse_address, reuse_port, v6_only } = options;
        Self { reuse_address, reuse_port, v6_only }
    }
}

fn family(family: event::Family) -> String {
    match family {
        event::Family::Other(number) => number.to_string(),
        known => known.as_str().unwrap_or_default().to_owned(),
    }
}

const fn netlink(name: &event::Name) -> Option<Netlink> {
    match *name {
        event::Name::Netlink { port_id, groups } => Some(Netlink { port_id, groups }),
        _ => None,
    }
}

const fn vsock(name: &event::Name) -> Option<Vsock> {
    match *name {
        event::Name::Vsock { cid, port } => Some(Vsock { cid, port }),
        _ => None,
    }
}

fn protocol(protocol: event::Protocol) -> String {
    use event::Protocol::{Netlink, Other};
    match protocol {
        Other(number) => number.to_string(),
        Netlink(number) => protocol.as_str().map_or_else(|| number.to_string(), str::to_owned),
        known => known.as_str().unwrap_or_default().to_owned(),
    }
}
