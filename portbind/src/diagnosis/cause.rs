//! Why the kernel refused, from the evidence and the rule alone.

use super::errno::Errno;
use super::event::{Cause, Holder, Operation, Ownership, Process, Protocol, Socket, State};
use super::rule::{self, Asked, Generation, Held};

/// What the search for holders could say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// The table of the protocol was searched.
    Done,
    /// It was searched, and there is more than was looked at.
    Truncated,
    /// This protocol's table cannot be searched, or the call never got as far as a port.
    NotDone,
}

/// Marks the holders that stand in the way, puts them first, and names the cause.
#[must_use]
pub fn decide(
    generation: Generation,
    error: Errno,
    operation: Operation,
    process: &Process,
    socket: &Socket,
    holders: &mut [Holder],
    search: Search,
) -> Cause {
    let asked = Asked::of(socket, operation == Operation::Listen);
    for holder in holders.iter_mut() {
        holder.conflicts = rule::judge(generation, &asked, &Held::of(holder)).refuses();
    }
    holders.sort_by_key(|holder| (!holder.conflicts, rank(holder)));
    if error != Errno::EADDRINUSE && error != Errno::EAGAIN {
        return cause("other-error", format!("the call failed with {error}: no port was in the way"));
    }
    if socket.port == 0 && search != Search::NotDone {
        return cause(
            "port-range-exhausted",
            "any port was asked for, and none was left in the range".to_owned(),
        );
    }
    match holders.first().filter(|holder| holder.conflicts) {
        Some(holder) => of_holder(operation, process, socket, holder),
        None => without_holder(search),
    }
}

fn of_holder(operation: Operation, process: &Process, socket: &Socket, holder: &Holder) -> Cause {
    let protocol = socket.protocol;
    let is_own = holder.processes.iter().any(|owner| owner.process.pid == process.pid);
    match (holder.ownership, holder.state) {
        (Ownership::Kernel, _) => {
            cause("kernel-socket", "a socket of the kernel itself holds the port".to_owned())
        }
        (Ownership::TimeWait, _) => cause("time-wait", time_wait(socket, holder)),
        (_, _) if is_own => cause("own-socket", "the failing process holds the port itself".to_owned()),
        (_, State::Listen) if operation == Operation::Listen => {
            cause("listen-race", "another socket on the same address listened first".to_owned())
        }
        (_, State::Listen) => cause("listener", "another program is listening there".to_owned()),
        (_, State::Bound) if protocol == Protocol::Udp || protocol == Protocol::Udplite => {
            cause("listener", "another program receives there".to_owned())
        }
        (_, State::Bound) => cause(
            "bound-not-listening",
            "another socket is bound there, though it does not listen".to_owned(),
        ),
        _ => cause("connection", "a connection uses the port as its local port".to_owned()),
    }
}

/// A TIME_WAIT socket lets a bind pass only if both sides set SO_REUSEADDR (row 4 of the rule).
fn time_wait(socket: &Socket, holder: &Holder) -> String {
    let lacking = match (socket.options.reuse_address, holder.options.reuse_address) {
        (false, false) => "neither it nor the new socket set SO_REUSEADDR",
        (true, false) => "it did not set SO_REUSEADDR, though the new socket does",
        (false, true) => "the new socket did not set SO_REUSEADDR, though it did",
        (true, true) => "both set SO_REUSEADDR",
    };
    format!("a closed connection waits on the port: {lacking}")
}

fn without_holder(search: Search) -> Cause {
    match search {
        Search::Done => {
            cause("vanished", "no socket in the way was left on the port when it was looked at".to_owned())
        }
        Search::Truncated => cause(
            "vanished",
            "the port has more sockets than were looked at, and none of those is in the way".to_owned(),
        ),
        Search::NotDone => cause(
            "address-in-use-elsewhere",
            "the kernel's table of these sockets was not searched".to_owned(),
        ),
    }
}

/// The holder that says most comes first.
const fn rank(holder: &Holder) -> u8 {
    match (holder.state, holder.ownership) {
        (State::Listen, _) => 0,
        (State::Bound, _) => 1,
        (_, Ownership::Process) => 2,
        (_, Ownership::TimeWait) => 4,
        _ => 3,
    }
}

const fn cause(code: &'static str, summary: String) -> Cause {
    Cause { code, summary }
}
