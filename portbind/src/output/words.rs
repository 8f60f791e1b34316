//! Words and phrases that the formats for people share.

use std::net::IpAddr;

use jiff::Timestamp;

use super::Style;
use super::sanitize::Escaped;
use crate::diagnosis::event::{Holder, Interface, Protocol, State};

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

/// The protocol's word, or its number.
pub(super) fn protocol(protocol: Protocol) -> String {
    match protocol {
        Protocol::Other(number) => format!("proto-{number}"),
        known => known.as_str().unwrap_or("unknown").to_owned(),
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

/// A user by name, else by number.
pub(super) fn user(name: Option<&str>, uid: Option<u32>) -> Option<String> {
    name.map(|name| Escaped(name).cut(32)).or_else(|| uid.map(|uid| uid.to_string()))
}

/// The holders that conflict.
pub(super) fn conflicting(holders: &[Holder]) -> impl Iterator<Item = &Holder> {
    holders.iter().filter(|holder| holder.conflicts)
}
