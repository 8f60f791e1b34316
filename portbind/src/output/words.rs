//! Words and phrases that the text formats share.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::style::Style;
use crate::escape::Escaped;
use crate::event::units::user_of_cgroup;
use crate::wire::{Error, Holder, Interface, Netlink, Refusal, Socket, Vsock};

/// Address and port in URL syntax, with the interface as a zone.
pub(crate) fn endpoint(address: IpAddr, port: u16, interface: Option<&Interface<'_>>) -> String {
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

/// The time of day in milliseconds.
pub(crate) fn clock(time: Timestamp, style: &Style) -> String {
    time.to_zoned(style.zone.clone()).strftime("%H:%M:%S%.3f").to_string()
}

/// The network namespace, if it is not this process's own.
pub(crate) fn netns(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" of network namespace {}", Escaped(name)))
}

/// A duration in its two largest units; below a minute, with tenths of a second.
pub(crate) fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}.{}s", span.subsec_millis().max(0) / 100),
        (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
        (0, _, _) => format!("{hours}h{}m", minutes % 60),
        _ => format!("{days}d{}h", hours % 24),
    }
}

/// The name of the protocol, or its number.
pub(crate) fn protocol(protocol: &str) -> String {
    if is_number(protocol) { format!("proto-{protocol}") } else { Escaped(protocol).to_string() }
}

fn family(family: &str) -> String {
    if is_number(family) { format!("family-{family}") } else { Escaped(family).to_string() }
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The kind of a socket: the protocol of an internet socket, the family of any other, and the type unless it is the
/// usual one.
pub(crate) fn kind(family: &str, protocol: &str) -> String {
    match (family, protocol) {
        ("inet" | "inet6", _) => self::protocol(protocol),
        ("unix" | "netlink" | "vsock", "dgram" | "seqpacket") => format!("{family}-{protocol}"),
        _ => self::family(family),
    }
}

/// The address that a refused socket requested.
pub(crate) fn asked(socket: &Socket<'_>) -> String {
    if let Some((address, port)) = socket.address.zip(socket.port) {
        return endpoint(address, port, socket.interface.as_ref());
    }
    if let Some(path) = &socket.path {
        return Escaped(path).to_string();
    }
    if let Some(name) = &socket.netlink {
        return netlink(name, &socket.protocol);
    }
    if let Some(name) = &socket.vsock {
        return vsock(name);
    }
    match &socket.raw {
        Some(digits) => format!("0x{}", Escaped(digits)),
        None if socket.unnamed => "(any)".to_owned(),
        None => "(not recorded)".to_owned(),
    }
}

/// The address to which a socket is bound.
pub(crate) fn bound(holder: &Holder<'_>) -> String {
    match (holder.address.zip(holder.port), &holder.path, &holder.netlink) {
        (Some((address, port)), ..) => endpoint(address, port, holder.interface.as_ref()),
        (None, Some(path), _) => Escaped(path).to_string(),
        (None, None, Some(name)) => netlink(name, &holder.protocol),
        (None, None, None) => "(any)".to_owned(),
    }
}

fn netlink(name: &Netlink, protocol: &str) -> String {
    let groups = if name.groups == 0 { String::new() } else { format!(" (groups {:#x})", name.groups) };
    format!("{}:{}{groups}", self::protocol(protocol), name.port_id)
}

fn vsock(name: &Vsock) -> String {
    const ANY: u32 = u32::MAX;
    let number = |number: u32| if number == ANY { "any".to_owned() } else { number.to_string() };
    format!("{}:{}", number(name.cid), number(name.port))
}

/// The state, named as other tools name it.
pub(crate) fn state(state: &str) -> Cow<'static, str> {
    let known = match state {
        "listen" => "LISTEN",
        "bound" => "BOUND",
        "established" => "ESTABLISHED",
        "syn_sent" => "SYN-SENT",
        "syn_recv" => "SYN-RECV",
        "fin_wait1" => "FIN-WAIT-1",
        "fin_wait2" => "FIN-WAIT-2",
        "time_wait" => "TIME-WAIT",
        "close_wait" => "CLOSE-WAIT",
        "last_ack" => "LAST-ACK",
        "closing" => "CLOSING",
        other => return Escaped(&other.to_uppercase().replace('_', "-")).to_string().into(),
    };
    known.into()
}

/// The error that the caller received.
pub(crate) fn error(error: &Error<'_>) -> String {
    error.name.as_ref().map_or_else(|| format!("errno {}", error.number), |name| Escaped(name).to_string())
}

/// A systemd unit. A unit of a user's service manager is marked, because a system unit may have the same name.
pub(crate) fn unit(name: &str, is_in_container: bool, cgroup: Option<&str>) -> String {
    let user = cgroup.filter(|_| !is_in_container).and_then(user_of_cgroup);
    let of_user = user.map_or_else(String::new, |uid| format!(" of user {uid}"));
    format!("unit {}{of_user}", Escaped(name))
}

/// The name of a user, or else the number.
pub(crate) fn user(name: Option<&str>, uid: Option<u32>) -> Option<String> {
    name.map(|name| Escaped(name).cut(32)).or_else(|| uid.map(|uid| uid.to_string()))
}

/// The holders in the way.
pub(crate) fn conflicting<'a>(refusal: &'a Refusal<'_>) -> impl Iterator<Item = &'a Holder<'a>> {
    refusal.holders.iter().filter(|holder| holder.conflicts)
}

/// How many more processes share a socket with the listed ones.
pub(crate) fn more_processes(count: u64) -> Option<String> {
    match count {
        0 => None,
        1 => Some("and 1 more process".to_owned()),
        _ => Some(format!("and {count} more processes")),
    }
}
