//! Refusals of portless sockets, for the tests of the formats.

use super::code::Code;
use super::holder::{Holder, State};
use super::name::Name;
use super::samples::{held_by_java, listener};
use super::shell_command::ShellCommand;
use super::socket::{Family, Protocol, Socket};
use super::{Cause, Confidence, Fix, Refusal};

fn refused(family: Family, protocol: Protocol, name: Name, code: Code, summary: &str) -> Refusal {
    let refusal = listener();
    Refusal {
        socket: Socket { family, protocol, name: Some(name), ..refusal.socket },
        holders: vec![],
        cause: Cause { code, summary: summary.to_owned() },
        confidence: Confidence::Afterwards,
        ..refusal
    }
}

/// A path where another socket listens.
pub(crate) fn live() -> Refusal {
    let name = Name::Path(b"/run/app.sock".to_vec());
    let holder = Holder {
        protocol: Protocol::Stream,
        family: Family::Unix,
        name: Some(name.clone()),
        ..held_by_java()
    };
    Refusal {
        holders: vec![holder],
        ..refused(
            Family::Unix,
            Protocol::Stream,
            name,
            Code::LiveSocketFile,
            "another socket listens at the path",
        )
    }
}

/// An abstract name with bytes that are not letters, and a datagram socket of another type in its way.
pub(crate) fn hostile_name() -> Refusal {
    let name = Name::Abstract(b"\0::error::\x1b[2J\xff".to_vec());
    let holder = Holder {
        state: State::Bound,
        protocol: Protocol::Seqpacket,
        family: Family::Unix,
        name: Some(name.clone()),
        backlog: None,
        ..held_by_java()
    };
    Refusal {
        holders: vec![holder],
        ..refused(Family::Unix, Protocol::Dgram, name, Code::AbstractNameTaken, "another socket has it")
    }
}

/// A socket file without a bound socket.
pub(crate) fn stale() -> Refusal {
    let name = Name::Path(b"/run/app.sock".to_vec());
    let command = ShellCommand::remove(b"/run/app.sock").unwrap();
    let fix = Fix { code: "remove-file", text: format!("remove it: {command}"), command: Some(command) };
    Refusal {
        relation: None,
        fixes: vec![fix],
        ..refused(Family::Unix, Protocol::Stream, name, Code::StaleSocketFile, "nobody is bound to it")
    }
}

/// A netlink port id.
pub(crate) fn netlink() -> Refusal {
    let name = Name::Netlink { port_id: 4711, groups: 1 };
    refused(Family::Netlink, Protocol::Netlink(0), name, Code::AddressInUseElsewhere, "it is taken")
}

/// A vsock port.
pub(crate) fn vsock() -> Refusal {
    let name = Name::Vsock { cid: u32::MAX, port: 1234 };
    refused(Family::Vsock, Protocol::Stream, name, Code::AddressInUseElsewhere, "it is taken")
}

/// A family that is known only by its number.
pub(crate) fn other() -> Refusal {
    let name = Name::Raw(vec![1, 0xab]);
    refused(Family::Other(30), Protocol::Other(0), name, Code::AddressInUseElsewhere, "it is taken")
}

/// All samples.
pub(crate) fn all() -> [Refusal; 6] {
    [live(), hostile_name(), stale(), netlink(), vsock(), other()]
}
