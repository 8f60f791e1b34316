//! Converts evidence from the kernel to event types. Facts that only the host has (user names, socket owners, the
//! remaining arguments) are left out.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use portbind_abi::{self as abi, holder, operation, option};
use zerocopy::IntoBytes;

use super::assemble::Evidence;
use super::name;
use crate::event::{
    Ancestor, Errno, Family, Holder, Interface, Operation, Options, Ownership, PortKey, PortTable, Process,
    Protocol, Socket, SocketId, State,
};
use crate::host::clock::BootClock;

/// AF_INET and AF_INET6 (include/linux/socket.h).
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
/// TCP_TIME_WAIT, TCP_NEW_SYN_RECV and TCP_FIN_WAIT2 (include/net/tcp_states.h).
const TIME_WAIT: u32 = 6;
const NEW_SYN_RECV: u32 = 12;
const FIN_WAIT2: u8 = 5;

/// Which call was refused.
#[must_use]
pub const fn operation(evidence: &Evidence) -> Operation {
    match evidence.refusal.operation {
        operation::BIND => Operation::Bind,
        operation::LISTEN => Operation::Listen,
        operation::AUTOBIND => Operation::Autobind,
        _ => Operation::Unknown,
    }
}

/// The error that the caller got.
#[must_use]
pub const fn error(evidence: &Evidence) -> Errno {
    Errno(evidence.refusal.error)
}

/// A process, as far as the kernel half introduced it.
#[must_use]
pub fn process(record: &abi::Introduction, clock: &BootClock) -> Process {
    let abi::Introduction { header, identity, caller } = record;
    Process {
        pid: upper(header.task),
        tid: lower(header.task),
        comm: text(&identity.comm),
        exe: executable(caller),
        args: arguments(args(caller)),
        args_truncated: caller.args_len < caller.args_total,
        uid: Some(identity.uid),
        gid: Some(identity.gid),
        started: Some(clock.at(identity.start_time)),
        ancestors: parents(caller)
            .iter()
            .map(|parent| Ancestor::new(parent.pid, text(&parent.comm)))
            .collect(),
        ..Process::default()
    }
}

/// A process as one of its threads, which can have its own name and owner.
#[must_use]
pub fn as_thread(mut process: Rc<Process>, header: &abi::Header, identity: &abi::Identity) -> Rc<Process> {
    let (tid, comm) = (lower(header.task), text(&identity.comm));
    let owner = (Some(identity.uid), Some(identity.gid));
    if (process.tid, &process.comm, process.uid, process.gid) != (tid, &comm, owner.0, owner.1) {
        let thread = Rc::make_mut(&mut process);
        if thread.uid != owner.0 {
            thread.user = None;
        }
        (thread.tid, thread.comm) = (tid, comm);
        (thread.uid, thread.gid) = owner;
    }
    process
}

/// The caller's ancestors, nearest first.
#[must_use]
pub fn parents(caller: &abi::Caller) -> &[abi::Parent] {
    let count = usize::try_from(caller.parent_count).unwrap_or(0);
    caller.parents.get(..count).unwrap_or(&caller.parents)
}

/// The path components of the executable, last one first.
fn names(caller: &abi::Caller) -> Option<&[[u8; abi::EXE_NAME_LEN]]> {
    caller.exe.get(..usize::from(caller.exe_count))
}

/// A digest of all kernel facts about a process. Unused fields contain data of other records and are left out.
#[must_use]
pub fn digest(caller: &abi::Caller) -> u64 {
    let mut hasher = DefaultHasher::new();
    (caller.cgroup_id, caller.args_total, caller.exe_whole, args(caller)).hash(&mut hasher);
    for parent in parents(caller) {
        (parent.pid, parent.start_time, parent.comm).hash(&mut hasher);
    }
    names(caller).map(texts).hash(&mut hasher);
    hasher.finish()
}

/// The copied bytes of the arguments.
#[must_use]
pub fn args(caller: &abi::Caller) -> &[u8] {
    let len = usize::try_from(caller.args_len).unwrap_or(0).min(abi::ARGS_LEN);
    caller.args.get(..len).unwrap_or_default()
}

/// The path of the executable; `None` if a part is missing or may have been cut.
fn executable(caller: &abi::Caller) -> Option<String> {
    let names = names(caller)?;
    let is_cut = |name: &[u8; abi::EXE_NAME_LEN]| text(name).len() + 1 >= abi::EXE_NAME_LEN;
    if caller.exe_whole == 0 || names.is_empty() || names.iter().any(is_cut) {
        return None;
    }
    Some(names.iter().rev().map(|name| format!("/{}", text(name))).collect())
}

/// The identity of a record's socket.
#[must_use]
pub const fn socket_id(endpoint: &abi::Endpoint) -> SocketId {
    id(endpoint.id, endpoint.inode, endpoint.state)
}

const fn id(object: u64, inode: u64, state: u32) -> SocketId {
    SocketId { object, inode: if is_full(state) { inode } else { 0 } }
}

/// Whether it is a full socket: only those have an inode, a protocol and an owner; see [`abi::Endpoint`].
const fn is_full(state: u32) -> bool {
    state != TIME_WAIT && state != NEW_SYN_RECV
}

/// The requested port.
#[must_use]
pub fn asked_port(evidence: &Evidence) -> PortKey {
    let abi::Socket { netns, port, protocol: number, .. } = evidence.refusal.socket;
    PortKey { netns, table: PortTable::of(protocol(number)), port }
}

/// The port of a record about a full socket.
#[must_use]
pub fn port_key(endpoint: &abi::Endpoint) -> PortKey {
    let abi::Endpoint { netns, port, .. } = *endpoint;
    PortKey { netns, table: PortTable::of(protocol(endpoint.protocol)), port }
}

/// The local address of a socket, and its remote address and port.
#[must_use]
pub fn ends(endpoint: &abi::Endpoint) -> (IpAddr, Option<(IpAddr, u16)>) {
    let abi::Endpoint { family, peer, peer_port, .. } = *endpoint;
    (address(family, endpoint.address), (peer_port != 0).then(|| (address(family, peer), peer_port)))
}

/// The name of a thread.
#[must_use]
pub fn comm(bytes: &[u8; abi::COMM_LEN]) -> String {
    text(bytes)
}

/// The thread group id of a record.
#[must_use]
pub fn pid(header: &abi::Header) -> u32 {
    upper(header.task)
}

/// State of the refused socket.
#[must_use]
pub fn socket_state(evidence: &Evidence) -> State {
    State::of_number(evidence.refusal.socket.state)
}

/// The refused socket.
#[must_use]
pub fn socket(record: &abi::Socket) -> Socket {
    Socket {
        family: family(record.family),
        protocol: protocol(record.protocol),
        address: address(record.family, record.address),
        port: record.port,
        name: None,
        netns: record.netns,
        netns_name: None,
        interface: interface(record.interface),
        options: options(record.options),
        uid: record.uid,
    }
}

/// The thread name and the requested socket of a refusal that is only counted.
#[must_use]
pub fn sample(record: &abi::Sample) -> (String, Socket) {
    let has_port = record.family == AF_INET || record.family == AF_INET6;
    let socket = Socket {
        family: if has_port { family(record.family) } else { name::family(record.family) },
        protocol: if has_port { protocol(record.protocol) } else { Protocol::Other(record.protocol) },
        address: address(record.family, record.address),
        port: record.port,
        name: None,
        netns: record.netns,
        netns_name: None,
        interface: None,
        options: Options::default(),
        uid: record.uid,
    };
    (text(record.comm.as_bytes()), socket)
}

/// The sockets on the port, none marked as conflicting yet. A tick lasts `tick_ns` nanoseconds.
#[must_use]
pub fn holders(evidence: &Evidence, tick_ns: u64) -> Vec<Holder> {
    let asked = &evidence.refusal.socket;
    evidence.holders.iter().map(|record| one_holder(record, asked, tick_ns)).collect()
}

/// The holders that the caller itself had open at the refusal: inode number and descriptor.
pub fn own_sockets(evidence: &Evidence) -> impl Iterator<Item = (u64, u32)> {
    let own = |record: &abi::Holder| Some((record.inode, u32::from(record.own_descriptor).checked_sub(1)?));
    evidence.holders.iter().filter_map(own)
}

fn one_holder(record: &abi::Holder, asked: &abi::Socket, tick_ns: u64) -> Holder {
    let number = u32::from(record.state);
    let (is_time_wait, is_full) = (number == TIME_WAIT, is_full(number));
    let state = state(record);
    let is_connected = record.peer_port != 0 && state != State::Listen;
    Holder {
        id: id(record.id, record.inode, number),
        state,
        conflicts: false,
        protocol: protocol(if is_full { record.protocol } else { asked.protocol }),
        family: family(record.family),
        address: address(record.family, record.address),
        port: asked.port,
        name: None,
        peer: is_connected.then(|| (address(record.family, record.peer), record.peer_port)),
        interface: interface(record.interface),
        inode: (is_full && record.inode != 0).then_some(record.inode),
        uid: is_full.then_some(record.uid),
        user: None,
        options: options(record.options),
        options_known: true,
        ownership: ownership(record),
        time_wait_left_ms: is_time_wait.then(|| left_ms(record.jiffies_left, tick_ns)),
        backlog: (state == State::Listen).then_some((record.backlog, record.max_backlog)),
        opened_by: None,
        since: None,
        left_by: None,
        processes: Vec::new(),
        more_processes: 0,
    }
}

fn left_ms(jiffies: i64, tick_ns: u64) -> u64 {
    u64::try_from(jiffies).unwrap_or(0).saturating_mul(tick_ns) / 1_000_000
}

fn ownership(record: &abi::Holder) -> Ownership {
    if u32::from(record.state) == TIME_WAIT {
        Ownership::TimeWait
    } else if record.flags & holder::KERNEL != 0 {
        Ownership::Kernel
    } else if record.flags & holder::ORPHAN != 0 {
        Ownership::Orphan
    } else if record.flags & holder::NOT_ACCEPTED != 0 {
        Ownership::NotAccepted
    } else {
        Ownership::Process
    }
}

fn state(holder: &abi::Holder) -> State {
    if u32::from(holder.state) == TIME_WAIT && holder.time_wait_state == FIN_WAIT2 {
        return State::FinWait2;
    }
    State::of_number(holder.state)
}

fn family(number: u16) -> Family {
    if number == AF_INET6 { Family::Inet6 } else { Family::Inet }
}

/// include/uapi/linux/in.h
fn protocol(number: u16) -> Protocol {
    match number {
        1 | 58 => Protocol::Ping,
        6 => Protocol::Tcp,
        17 => Protocol::Udp,
        132 => Protocol::Sctp,
        136 => Protocol::Udplite,
        262 => Protocol::Mptcp,
        other => Protocol::Other(other),
    }
}

fn address(family: u16, words: abi::Address) -> IpAddr {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(words.as_bytes());
    if family == AF_INET6 {
        return IpAddr::V6(Ipv6Addr::from(bytes));
    }
    let [.., a, b, c, d] = bytes;
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

fn interface(index: u32) -> Option<Interface> {
    (index != 0).then_some(Interface { index, name: None })
}

fn options(bits: u8) -> Options {
    Options {
        reuse_address: bits & option::REUSE_ADDRESS != 0,
        reuse_port: bits & option::REUSE_PORT != 0,
        v6_only: bits & option::V6_ONLY != 0,
    }
}

fn arguments(bytes: &[u8]) -> Vec<String> {
    let trimmed = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    if trimmed.is_empty() {
        return Vec::new();
    }
    trimmed.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

fn texts(names: &[[u8; abi::EXE_NAME_LEN]]) -> Vec<String> {
    names.iter().map(|name| text(name)).collect()
}

fn text(padded: &[u8]) -> String {
    let end = padded.iter().position(|&byte| byte == 0).unwrap_or(padded.len());
    String::from_utf8_lossy(padded.get(..end).unwrap_or_default()).into_owned()
}

fn upper(task: u64) -> u32 {
    u32::try_from(task >> 32).unwrap_or_default()
}

fn lower(task: u64) -> u32 {
    u32::try_from(task & u64::from(u32::MAX)).unwrap_or_default()
}
