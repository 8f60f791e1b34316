//! Converts events to their JSON form.

use std::borrow::Cow;

use super::people::{Container, Test};
use super::process::{HolderProcess, Opener, Process, Relative};
use super::refusal::{Cause, Error, Fix, Moment, OnBehalf, Refusal, Relation, SCHEMA};
use super::run::{Release, Repeat};
use super::socket::{Backlog, Holder, Interface, Netlink, Options, Peer, Socket, Vsock};
use super::time::Time;
use crate::event;

impl<'a> From<&'a event::Refusal> for Refusal<'a> {
    fn from(refusal: &'a event::Refusal) -> Self {
        Self {
            schema: SCHEMA.into(),
            kind: "refusal".into(),
            time: refusal.time.into(),
            operation: refusal.operation.as_str().into(),
            error: Error { name: refusal.error.name().map(Cow::from), number: refusal.error.0 },
            process: Process::from(&*refusal.process),
            socket: Socket::from(&refusal.socket),
            holders: refusal.holders.iter().map(Holder::from).collect(),
            holders_truncated: refusal.holders_truncated,
            bystanders: refusal.bystanders,
            cause: Cause::from(&refusal.cause),
            relation: refusal.relation.as_ref().map(Relation::from),
            confidence: refusal.confidence.as_str().into(),
            fixes: refusal.fixes.iter().map(Fix::from).collect(),
            history: refusal.history.iter().map(Moment::from).collect(),
            backend: refusal.backend.into(),
            lost: refusal.lost,
            on_behalf: refusal.on_behalf.as_deref().map(OnBehalf::from),
        }
    }
}

impl<'a> From<&'a event::OnBehalf> for OnBehalf<'a> {
    fn from(work: &'a event::OnBehalf) -> Self {
        let client = work.client.as_ref();
        let name = client.and_then(|client| match &client.link {
            event::Link::Container(name) | event::Link::Unit(name) => Some(name.as_str().into()),
            event::Link::Port(_) | event::Link::Arguments => None,
        });
        Self {
            daemon: work.daemon.into(),
            client: client.map(|client| Relative { pid: client.pid, comm: client.name.as_str().into() }),
            by: client.map(|client| client.link.as_str().into()),
            name,
        }
    }
}

impl<'a> From<&'a event::Process> for Process<'a> {
    fn from(process: &'a event::Process) -> Self {
        Self {
            pid: process.pid,
            tid: process.tid,
            comm: process.comm.as_str().into(),
            exe: process.exe.as_deref().map(Cow::from),
            cwd: process.cwd.as_deref().map(Cow::from),
            branch: process.branch.as_deref().map(Cow::from),
            args: Cow::from(&process.args),
            args_masked: false,
            args_truncated: process.args_truncated,
            uid: process.uid,
            gid: process.gid,
            user: process.user.as_deref().map(Cow::from),
            cgroup: process.cgroup.as_deref().map(Cow::from),
            started: process.started.map(Time),
            ancestors: process.ancestors.iter().map(Relative::from).collect(),
            container: process.container.as_deref().map(Container::from),
            proxy_for: process.proxy_for.as_deref().map(Container::from),
            unit: process.unit.as_deref().map(Cow::from),
            test: process.job.as_deref().map(Test::from),
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
            path: socket.name.as_ref().and_then(event::Name::path).map(Cow::from),
            netlink: socket.name.as_ref().and_then(netlink),
            vsock: socket.name.as_ref().and_then(vsock),
            unnamed: matches!(socket.name, Some(event::Name::Unnamed)),
            raw: socket.name.as_ref().and_then(raw),
            netns: socket.netns,
            netns_name: socket.netns_name.as_deref().map(Cow::from),
            interface: socket.interface.as_ref().map(Interface::from),
            options: Options::from(socket.options),
            uid: socket.uid,
        }
    }
}

impl<'a> From<&'a event::Holder> for Holder<'a> {
    fn from(holder: &'a event::Holder) -> Self {
        Self {
            state: holder.state.as_str().into(),
            conflicts: holder.conflicts,
            protocol: protocol(holder.protocol),
            family: family(holder.family),
            address: holder.endpoint().map(|(address, _)| address),
            port: holder.endpoint().map(|(_, port)| port),
            path: holder.name.as_ref().and_then(event::Name::path).map(Cow::from),
            netlink: holder.name.as_ref().and_then(netlink),
            peer: holder.peer.map(|(address, port)| Peer { address, port }),
            interface: holder.interface.as_ref().map(Interface::from),
            inode: holder.inode,
            uid: holder.uid,
            user: holder.user.as_deref().map(Cow::from),
            options: holder.options_known.then(|| Options::from(holder.options)),
            ownership: holder.ownership.as_str().into(),
            backlog: holder.backlog.map(|(waiting, max)| Backlog { waiting, max }),
            since: holder.since.map(Time),
            time_wait_left_ms: holder.time_wait_left_ms,
            opened_by: holder.opened_by.as_deref().map(Opener::from),
            left_by: holder.left_by.as_deref().map(Opener::from),
            processes: holder.processes.iter().map(HolderProcess::from).collect(),
            more_processes: holder.more_processes,
        }
    }
}

impl<'a> From<&'a event::HolderProcess> for HolderProcess<'a> {
    fn from(holder: &'a event::HolderProcess) -> Self {
        let process = &holder.process;
        Self {
            pid: process.pid,
            comm: process.comm.as_str().into(),
            fd: holder.fds.first().copied(),
            fds: Cow::from(&holder.fds),
            exe: process.exe.as_deref().map(Cow::from),
            cwd: process.cwd.as_deref().map(Cow::from),
            branch: process.branch.as_deref().map(Cow::from),
            args: Cow::from(&process.args),
            args_masked: false,
            args_truncated: process.args_truncated,
            uid: process.uid,
            user: process.user.as_deref().map(Cow::from),
            cgroup: process.cgroup.as_deref().map(Cow::from),
            started: process.started.map(Time),
            ancestors: process.ancestors.iter().map(Relative::from).collect(),
            container: process.container.as_deref().map(Container::from),
            proxy_for: process.proxy_for.as_deref().map(Container::from),
            unit: process.unit.as_deref().map(Cow::from),
            test: process.job.as_deref().map(Test::from),
        }
    }
}

impl<'a> From<&'a event::Release> for Release<'a> {
    fn from(release: &'a event::Release) -> Self {
        Self {
            schema: SCHEMA.into(),
            kind: "release".into(),
            time: release.time.into(),
            refused: release.refused.into(),
            after_ms: release.after().as_millis_f64(),
            process: Relative { pid: release.process.pid, comm: release.process.comm.as_str().into() },
            socket: Socket::from(&release.socket),
        }
    }
}

impl<'a> From<&'a event::Repeat> for Repeat<'a> {
    fn from(repeat: &'a event::Repeat) -> Self {
        Self {
            schema: SCHEMA.into(),
            kind: "repeat".into(),
            time: repeat.time.into(),
            refused: repeat.refused.map(Time::from),
            count: repeat.count,
            first: Some(repeat.first.into()),
            last: Some(repeat.last.into()),
            looked_at: repeat.looked_at,
            process: Relative { pid: repeat.process.pid, comm: repeat.process.comm.as_str().into() },
            socket: Socket::from(&repeat.socket),
            cause: repeat.cause.map(|code| code.as_str().into()),
        }
    }
}

impl<'a> From<&'a event::Cause> for Cause<'a> {
    fn from(cause: &'a event::Cause) -> Self {
        Self { code: cause.code.as_str().into(), summary: cause.summary.as_str().into() }
    }
}

impl<'a> From<&'a event::Relation> for Relation<'a> {
    fn from(relation: &'a event::Relation) -> Self {
        Self { code: relation.code.as_str().into(), text: relation.text.as_str().into() }
    }
}

impl<'a> From<&'a event::Fix> for Fix<'a> {
    fn from(fix: &'a event::Fix) -> Self {
        Self {
            code: fix.code.into(),
            text: fix.text.as_str().into(),
            command: fix.command.as_ref().map(|command| command.as_str().into()),
        }
    }
}

impl<'a> From<&'a event::Process> for Opener<'a> {
    fn from(process: &'a event::Process) -> Self {
        Self {
            pid: process.pid,
            comm: process.comm.as_str().into(),
            exe: process.exe.as_deref().map(Cow::from),
            cwd: process.cwd.as_deref().map(Cow::from),
            branch: process.branch.as_deref().map(Cow::from),
            args: Cow::from(&process.args),
            args_masked: false,
            uid: process.uid,
            user: process.user.as_deref().map(Cow::from),
            cgroup: process.cgroup.as_deref().map(Cow::from),
            started: process.started.map(Time),
            ancestors: process.ancestors.iter().map(Relative::from).collect(),
            container: process.container.as_deref().map(Container::from),
            proxy_for: process.proxy_for.as_deref().map(Container::from),
            unit: process.unit.as_deref().map(Cow::from),
            test: process.job.as_deref().map(Test::from),
        }
    }
}

impl<'a> From<&'a event::Moment> for Moment<'a> {
    fn from(moment: &'a event::Moment) -> Self {
        Self {
            time: moment.time.map(Time),
            what: moment.what.as_str().into(),
            any: matches!(moment.what, event::MomentKind::Bound { any: true }),
            address: moment.address,
            peer: moment.peer.map(|(address, port)| Peer { address, port }),
            inode: (moment.socket.inode != 0).then_some(moment.socket.inode),
            process: moment.process.as_deref().map(Opener::from),
        }
    }
}

impl<'a> From<&'a event::Ancestor> for Relative<'a> {
    fn from(ancestor: &'a event::Ancestor) -> Self {
        Self { pid: ancestor.pid, comm: ancestor.comm.as_str().into() }
    }
}

impl<'a> From<&'a event::Interface> for Interface<'a> {
    fn from(interface: &'a event::Interface) -> Self {
        Self { index: interface.index, name: interface.name.as_deref().map(Cow::from) }
    }
}

impl From<event::Options> for Options {
    fn from(options: event::Options) -> Self {
        let event::Options { reuse_address, reuse_port, v6_only } = options;
        Self { reuse_address, reuse_port, v6_only }
    }
}

fn family(family: event::Family) -> Cow<'static, str> {
    match family {
        event::Family::Other(number) => number.to_string().into(),
        known => known.as_str().unwrap_or_default().into(),
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

/// The bytes as hexadecimal digits.
fn raw(name: &event::Name) -> Option<Cow<'static, str>> {
    let event::Name::Raw(bytes) = name else { return None };
    Some(bytes.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}")).into())
}

pub(crate) fn protocol(protocol: event::Protocol) -> Cow<'static, str> {
    use event::Protocol::{Netlink, Other};
    match protocol {
        Other(number) => number.to_string().into(),
        Netlink(number) => protocol.as_str().map_or_else(|| number.to_string().into(), Cow::from),
        known => known.as_str().unwrap_or_default().into(),
    }
}
