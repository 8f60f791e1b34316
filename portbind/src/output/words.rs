//! Words and phrases that the formats for people share.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::style::Style;
use crate::escape::Escaped;
use crate::event::units::user_of_cgroup;
use crate::event::{Family, Holder, Interface, Name, Protocol, Socket, State};

/// Address and port as they are written in URLs, with the interface as a zone.
pub(super) fn endpoint(address: IpAddr, port: u16, interface: Option<&Interface>) -> String {
    let zone = match interface {
        None => String::new(),
        Some(Interface { name: Some(name), .. }) => format!("%{}", Escaped(name)),
        Some(Interface { name: None, index }) => format!("%{index}"),
    };
    match address {
        IpAddr::V4(address) => format!("{address}{zone}:{port}"),
        IpAddr::V6(address) => format!("[{address}{zone}]:{port}"),
    }
}

/// The time of day, to the millisecond.
pub(super) fn clock(time: Timestamp, style: &Style) -> String {
    time.to_zoned(style.zone.clone()).strftime("%H:%M:%S%.3f").to_string()
}

/// The network namespace, where it is another than this process' own.
pub(super) fn netns(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" of network namespace {}", Escaped(name)))
}

/// A length of time in its two largest units; of less than a minute, with a tenth of a second.
pub(super) fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}.{}s", span.subsec_millis().max(0) / 100),
        (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
        (0, _, _) => format!("{hours}h{}m", minutes % 60),
        _ => format!("{days}d{}h", hours % 24),
    }
}

/// The protocol's word, or its number.
pub(super) fn protocol(protocol: Protocol) -> String {
    match protocol {
        Protocol::Other(number) => format!("proto-{number}"),
        Protocol::Netlink(number) if protocol.as_str().is_none() => format!("proto-{number}"),
        known => known.as_str().unwrap_or("unknown").to_owned(),
    }
}

/// What kind of socket it is: the protocol of an internet socket, the family of any other, with its type
/// if that is not the usual one.
pub(super) fn kind(family: Family, protocol: Protocol) -> String {
    match (family, protocol) {
        (Family::Inet | Family::Inet6, _) => self::protocol(protocol),
        (Family::Other(number), _) => format!("family-{number}"),
        (_, Protocol::Dgram | Protocol::Seqpacket) => {
            format!("{}-{}", family.as_str().unwrap_or_default(), self::protocol(protocol))
        }
        _ => family.as_str().unwrap_or_default().to_owned(),
    }
}

/// What a refused socket asked for.
pub(super) fn asked(socket: &Socket) -> String {
    match &socket.name {
        Some(name) => self::name(name, socket.protocol),
        None => endpoint(socket.address, socket.port, socket.interface.as_ref()),
    }
}

/// Where a socket is bound to.
pub(super) fn bound(holder: &Holder) -> String {
    match &holder.name {
        Some(name) => self::name(name, holder.protocol),
        None => endpoint(holder.address, holder.port, holder.interface.as_ref()),
    }
}

/// The name of a socket without a port.
pub(super) fn name(name: &Name, protocol: Protocol) -> String {
    const ANY: u32 = u32::MAX;
    let number = |number: u32| if number == ANY { "any".to_owned() } else { number.to_string() };
    match name {
        Name::Path(_) | Name::Abstract(_) => Escaped(&name.path().unwrap_or_default()).to_string(),
        Name::Unnamed => "(any)".to_owned(),
        Name::Netlink { port_id, groups: 0 } => format!("{}:{port_id}", self::protocol(protocol)),
        Name::Netlink { port_id, groups } => {
            format!("{}:{port_id} (groups {groups:#x})", self::protocol(protocol))
        }
        Name::Vsock { cid, port } => format!("{}:{}", number(*cid), number(*port)),
        Name::Raw(bytes) => bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}")),
    }
}

/// The state as people know it from other tools.
pub(super) const fn state(state: State) -> &'static str {
    match state {
        State::Listen => "LISTEN",
        State::Bound => "BOUND",
        State::Established => "ESTABLISHED",
        State::SynSent => "SYN-SENT",
        State::SynRecv => "SYN-RECV",
        State::FinWait1 => "FIN-WAIT-1",
        State::FinWait2 => "FIN-WAIT-2",
        State::TimeWait => "TIME-WAIT",
        State::CloseWait => "CLOSE-WAIT",
        State::LastAck => "LAST-ACK",
        State::Closing => "CLOSING",
    }
}

/// A systemd unit. That of a user's own service manager is said to be that user's: its name may be the same as one of
/// the system.
pub(super) fn unit(name: &str, is_in_container: bool, cgroup: Option<&str>) -> String {
    let user = cgroup.filter(|_| !is_in_container).and_then(user_of_cgroup);
    let of_user = user.map_or_else(String::new, |uid| format!(" of user {uid}"));
    format!("unit {}{of_user}", Escaped(name))
}

/// A user by name, else by number.
pub(super) fn user(name: Option<&str>, uid: Option<u32>) -> Option<String> {
    name.map(|name| Escaped(name).cut(32)).or_else(|| uid.map(|uid| uid.to_string()))
}

/// The holders that conflict.
pub(super) fn conflicting(holders: &[Holder]) -> impl Iterator<Item = &Holder> {
    holders.iter().filter(|holder| holder.conflicts)
}

/// How many processes share a socket with those that are named.
pub(super) fn more_processes(count: u64) -> Option<String> {
    match count {
        0 => None,
        1 => Some("and 1 more process".to_owned()),
        _ => Some(format!("and {count} more processes")),
    }
}
