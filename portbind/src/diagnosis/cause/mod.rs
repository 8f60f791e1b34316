//! Why the kernel refused a call, derived only from the evidence and the kernel's rule.

use std::net::{IpAddr, Ipv6Addr};

use super::facts::{PortFacts, Usage};
use super::kinship::{Kinship, kinship, same_program};
use super::predict::is_outgoing;
use super::program::{never_binds, with_pid};
use super::rule::{self, Asked, Clause, Generation, Held};
use crate::diagnosis::other_errors;
use crate::event::units::is_service;
use crate::event::{
    Cause, Code, Errno, Holder, HolderProcess, Moment, MomentKind, Operation, Ownership, Process, Socket,
    State,
};
use crate::order::sort_by_key;

/// How far the search for holders got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// The protocol's table was searched.
    Done,
    /// The table was searched only in part.
    Truncated,
    /// This protocol's table cannot be searched, or the call failed before it asked for a port.
    NotDone,
}

/// What the cause of a refused call depends on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The rule of the running kernel.
    pub generation: Generation,
    /// The error that the caller got.
    pub error: Errno,
    /// The call.
    pub operation: Operation,
    /// The caller.
    pub process: &'a Process,
    /// The socket, with the requested address and port.
    pub socket: &'a Socket,
    /// How far the search for holders got.
    pub search: Search,
    /// Every socket on the port got the port from connect(2).
    pub connected_only: bool,
    /// Earlier events on the port.
    pub history: &'a [Moment],
    /// Port settings and use in the network namespace.
    pub ports: &'a PortFacts,
    /// The facts that decide about errors which no holder explains.
    pub bind_facts: &'a other_errors::Facts,
}

/// Marks the holders that stand in the way and puts them first.
pub fn find_conflicts(case: &Case<'_>, holders: &mut [Holder]) {
    for holder in holders.iter_mut() {
        holder.conflicts = clause(case, holder).refuses();
    }
    sort_by_key(holders, |holder| (!holder.conflicts, holder.rank()));
}

fn clause(case: &Case<'_>, holder: &Holder) -> Clause {
    rule::judge(
        case.generation,
        &Asked::of(case.socket, case.operation == Operation::Listen),
        &Held::of(holder),
    )
}

/// Names the cause; `holders` are sorted by [`find_conflicts`].
#[must_use]
pub fn decide(case: &Case<'_>, holders: &[Holder]) -> Cause {
    if case.error != Errno::EADDRINUSE && case.error != Errno::EAGAIN {
        return other_errors::explain(case.error, case.operation, case.socket, case.bind_facts);
    }
    if case.socket.port == 0 && case.search != Search::NotDone {
        return cause(Code::PortRangeExhausted, exhausted(case.ports));
    }
    let in_the_way = holders.split_at(holders.partition_point(|holder| holder.conflicts)).0;
    match in_the_way.first() {
        Some(holder) => of_holder(case, holder, in_the_way),
        None => without_holder(case),
    }
}

fn exhausted(ports: &PortFacts) -> String {
    let range = ports.ephemeral.map_or_else(String::new, |(low, high)| format!(" {low}-{high}"));
    let usage =
        ports.usage.as_ref().and_then(Usage::summary).map_or_else(String::new, |text| format!(": {text}"));
    format!("any port was asked for, and none was left in the range{range}{usage}")
}

/// The cause for the first of the holders in the way.
fn of_holder(case: &Case<'_>, holder: &Holder, in_the_way: &[Holder]) -> Cause {
    if holder.ownership == Ownership::Kernel {
        return cause(Code::KernelSocket, "a socket of the kernel itself holds the port");
    }
    if holder.ownership == Ownership::TimeWait {
        return of_time_wait(case, holder);
    }
    if opened_or_open(holder).any(|owner| owner.pid == case.process.pid) {
        return own(case, holder);
    }
    let causes = [stolen(case, holder), of_connection(case, holder, in_the_way), inherited(case, holder)];
    causes.into_iter().flatten().next().unwrap_or_else(|| of_open_socket(case, holder))
}

/// The caller itself has the socket in the way; if the addresses differ, why they meet.
fn own(case: &Case<'_>, holder: &Holder) -> Cause {
    let own = match holder.peer {
        Some(_) if case.connected_only => {
            let text = "an outgoing connection of the failing process itself got the port from the kernel as its local \
                        port";
            return cause(Code::Outgoing, text);
        }
        Some(_) if holder.state != State::Listen => {
            "a connection of the failing process itself, which it accepted before, still has the port"
        }
        _ => "the failing process holds the port itself",
    };
    cause(Code::OwnSocket, with_overlap(own, case, holder))
}

/// A reason, and why the addresses meet if they differ.
fn with_overlap(reason: &str, case: &Case<'_>, holder: &Holder) -> String {
    let overlap = overlap(case.socket, holder).map(|(_, text)| text).or_else(|| mapped(case.socket, holder));
    overlap.map_or_else(|| reason.to_owned(), |text| format!("{reason}; {text}"))
}

/// One address of two equal ones is an IPv4 address in an IPv6 socket.
fn mapped(socket: &Socket, holder: &Holder) -> Option<String> {
    let differ = socket.address != holder.address && unmapped(socket.address) == unmapped(holder.address);
    let (mapped, plain) = match socket.address {
        IpAddr::V6(_) => (socket.address, holder.address),
        IpAddr::V4(_) => (holder.address, socket.address),
    };
    differ.then(|| format!("{} is the address {plain} of an IPv6 socket", bracketed(mapped)))
}

/// The processes that have a holder open; if there is none left, the process that opened it.
fn opened_or_open(holder: &Holder) -> impl Iterator<Item = &Process> {
    let past = holder.opened_by.as_deref().filter(|_| holder.is_of_the_past());
    holder.processes.iter().map(|owner| &*owner.process).chain(past)
}

/// The kernel had assigned the port to the caller or a related process, which released it, and another process took it
/// (not one that may have been given it).
fn stolen(case: &Case<'_>, holder: &Holder) -> Option<Cause> {
    let kinship = |process: &Process| kinship(process, case.process);
    let given = case.history.iter().rev().find(|moment| {
        let giver = moment.process.as_deref();
        // The holder may have got the port from the kernel, too.
        moment.what == MomentKind::Bound { any: true }
            && holder.inode != Some(moment.socket.inode)
            && giver.is_some_and(|giver| kinship(giver) != Kinship::None)
    })?;
    let giver = given.process.as_deref()?;
    let is_heir = |process: &Process| match kinship(giver) {
        Kinship::Line => kinship(process) == Kinship::Line || process.pid == giver.pid,
        _ => kinship(process) != Kinship::None,
    };
    if opened_or_open(holder).any(is_heir) {
        return None;
    }
    let whom = if giver.pid == case.process.pid { "this process".to_owned() } else { with_pid(giver) };
    let text = format!(
        "the kernel had given this port to {whom} by a bind to port 0; it was let go, and taken before it was bound \
         again"
    );
    Some(cause(Code::StolenFreePort, text))
}

fn of_connection(case: &Case<'_>, holder: &Holder, in_the_way: &[Holder]) -> Option<Cause> {
    if matches!(holder.state, State::Listen | State::Bound) {
        return None;
    }
    if case.socket.protocol.is_datagram() {
        let text = "a connected socket, as clients have, uses the port as its local port";
        return is_client(case, in_the_way).then(|| cause(Code::Outgoing, text));
    }
    if case.connected_only {
        let text = "an outgoing connection got the port from the kernel as its own local port";
        return Some(cause(Code::Outgoing, text));
    }
    let text = match holder.ownership {
        Ownership::Orphan => "a connection that its process has closed is being finished on the port",
        Ownership::NotAccepted => "a connection on the port waits to be accepted",
        _ => "a connection uses the port as its local port",
    };
    Some(cause(Code::Connection, text))
}

/// Whether the datagram sockets in the way belong to clients: each is connected, has a port that the kernel picks, and
/// is not known to have asked for the port.
fn is_client(case: &Case<'_>, in_the_way: &[Holder]) -> bool {
    let asked = |moment: &Moment| {
        moment.what == MomentKind::Bound { any: false }
            && in_the_way.iter().any(|holder| holder.inode == Some(moment.socket.inode))
    };
    is_outgoing(in_the_way, case.ports.ephemeral) && !case.history.iter().any(asked)
}

/// The process that opened the socket has no descriptor of it any more.
fn inherited(case: &Case<'_>, holder: &Holder) -> Option<Cause> {
    let first = holder.processes.first()?;
    let Some(opener) = holder.opened_by.as_deref() else { return inherited_by_its_state(case, holder) };
    if holder.processes.iter().any(|owner| owner.process.pid == opener.pid) {
        return None;
    }
    let (opener_name, keeper) = (with_pid(opener), with_pid(&first.process));
    let text = match first.close_on_exec {
        Some(false) if opener.exe != first.process.exe => format!(
            "{opener_name} opened the socket and has let go of it; {keeper} inherited it, for want of close-on-exec"
        ),
        _ => format!("{opener_name} opened the socket and has let go of it; {keeper} still has a copy"),
    };
    Some(cause(Code::Inherited, with_overlap(&text, case, holder)))
}

/// As [`inherited`], for a socket that was opened before tracing began: each process that has the socket open runs a
/// program that binds no ports, and its descriptor survived execve.
fn inherited_by_its_state(case: &Case<'_>, holder: &Holder) -> Option<Cause> {
    let keeps = |owner: &HolderProcess| owner.close_on_exec == Some(false) && never_binds(&owner.process);
    let first = holder.processes.first().filter(|_| holder.more_processes == 0)?;
    if !holder.processes.iter().all(keeps) {
        return None;
    }
    let keeper = with_pid(&first.process);
    let is_orphan = first.process.ancestors.first().is_none_or(|parent| parent.pid == 1);
    let ended = if is_orphan { ", which has ended" } else { "" };
    let text = format!(
        "{keeper}, which binds no ports, probably inherited the socket from the program that started it{ended}, for \
         want of close-on-exec"
    );
    Some(cause(Code::Inherited, with_overlap(&text, case, holder)))
}

fn of_open_socket(case: &Case<'_>, holder: &Holder) -> Cause {
    let listens = holder.state == State::Listen;
    if listens && case.operation == Operation::Listen {
        return cause(Code::ListenRace, "another socket on the same address listened first");
    }
    let is_peer = opened_or_open(holder).any(|owner| is_instance(owner, case.process));
    if let Some(text) = reuseport(case, holder).filter(|_| is_peer) {
        return cause(Code::ReuseportMismatch, text);
    }
    if opened_or_open(holder).any(|owner| same_program(owner, case.process)) {
        let text = with_overlap("another instance of the same program holds the port", case, holder);
        return cause(Code::SameProgram, text);
    }
    if let Some((code, text)) = overlap(case.socket, holder) {
        return cause(code, text);
    }
    let (code, text) = match listens {
        true => (Code::Listener, "another program is listening there"),
        false if case.socket.protocol.is_datagram() => (Code::Listener, "another program receives there"),
        false => (Code::BoundNotListening, "another socket is bound there, though it does not listen"),
    };
    cause(code, with_overlap(text, case, holder))
}

/// Instances of one program or service may want to share a port; a stranger's SO_REUSEPORT means nothing: many
/// libraries set the option by themselves.
fn is_instance(owner: &Process, caller: &Process) -> bool {
    let unit = |process: &'_ Process| process.unit.clone().filter(|unit| is_service(unit));
    let is_one_unit = unit(owner).is_some() && unit(owner) == unit(caller) && owner.cgroup == caller.cgroup;
    is_one_unit || same_program(owner, caller)
}

/// At least one side set SO_REUSEPORT.
fn reuseport(case: &Case<'_>, holder: &Holder) -> Option<&'static str> {
    match (case.socket.options.reuse_port, holder.options.reuse_port) {
        (false, false) => None,
        (true, false) => Some("the new socket set SO_REUSEPORT, but the one on the port did not"),
        (false, true) => Some("the socket on the port set SO_REUSEPORT, but the new one did not"),
        (true, true) => match clause(case, holder) {
            Clause::OtherUser => Some("both set SO_REUSEPORT, but they belong to different users"),
            Clause::AskerInGroup => Some("both set SO_REUSEPORT, but the new one is in a group already"),
            _ => None,
        },
    }
}

/// The addresses differ and still overlap.
fn overlap(socket: &Socket, holder: &Holder) -> Option<(Code, String)> {
    let (asked, held) = (unmapped(socket.address), unmapped(holder.address));
    let is_dual_stack = |address| address == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    if asked.is_ipv4() != held.is_ipv4() {
        let whose = if is_dual_stack(asked) { "the new socket" } else { "the socket on the port" };
        // In brackets, so that the output can distinguish an IPv6 address from a foreign name.
        let text = format!("{whose} is bound to [::] without IPV6_V6ONLY, which covers every IPv4 address");
        return Some((Code::DualStack, text));
    }
    if asked == held {
        return None;
    }
    let is_asked = asked.is_unspecified();
    let (wildcard, other) = if is_asked { (asked, held) } else { (held, asked) };
    let written = bracketed(if is_asked { holder.address } else { socket.address });
    let (wildcard, other) = (bracketed(wildcard), bracketed(other));
    let mapped =
        if written == other { String::new() } else { format!(", which is {written} in an IPv6 socket") };
    Some((Code::Wildcard, format!("{wildcard} covers every address of this host, and so {other}{mapped}")))
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// A TIME_WAIT socket has the options of the connection it comes from; for an outgoing connection, the client's.
fn of_time_wait(case: &Case<'_>, holder: &Holder) -> Cause {
    if case.connected_only {
        let text = "an outgoing connection, which is closed now, got the port from the kernel as its own local port, \
                    and waits there in TIME_WAIT";
        return cause(Code::Outgoing, text);
    }
    cause(Code::TimeWait, time_wait(case.socket, holder))
}

/// A TIME_WAIT socket lets a bind pass only if both sides set SO_REUSEADDR (`Clause::BothReuseAddress`).
fn time_wait(socket: &Socket, holder: &Holder) -> String {
    let lacking = match (socket.options.reuse_address, holder.options.reuse_address) {
        (false, false) => "neither it nor the new socket set SO_REUSEADDR",
        (true, false) => "it did not set SO_REUSEADDR, though the new socket does",
        (false, true) => "the new socket did not set SO_REUSEADDR, though it did",
        (true, true) => "both set SO_REUSEADDR",
    };
    format!("a closed connection waits on the port: {lacking}")
}

fn without_holder(case: &Case<'_>) -> Cause {
    match case.search {
        Search::Done => {
            cause(Code::Vanished, "no socket in the way was left on the port when it was looked at")
        }
        Search::Truncated => cause(
            Code::Vanished,
            "the port has more sockets than were looked at, and none of those is in the way",
        ),
        Search::NotDone => {
            cause(Code::AddressInUseElsewhere, "the kernel's table of these sockets was not searched")
        }
    }
}

fn cause(code: Code, summary: impl Into<String>) -> Cause {
    Cause { code, summary: summary.into() }
}
