//! A port, or the name of a socket.

use std::str::FromStr;

use super::error::{ValueError, digits};
use crate::event::{Name, Protocol};
use crate::ports::PortOrName;

/// A port, the path of a socket, or `@` and an abstract name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(pub PortOrName);

impl FromStr for Target {
    type Err = ValueError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let wrong = || ValueError::Target(word.to_owned());
        let place = if let Some(name) = word.strip_prefix('@') {
            PortOrName::Name(Name::Abstract(name.as_bytes().to_vec()))
        } else if word.contains('\0') {
            return Err(wrong());
        } else if word.contains('/') {
            PortOrName::Name(Name::Path(word.as_bytes().to_vec()))
        } else {
            PortOrName::Port(digits(word).filter(|&port: &u16| port != 0).ok_or_else(wrong)?)
        };
        Ok(Self(place))
    }
}

/// A protocol that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortProtocol(pub Protocol);

impl FromStr for PortProtocol {
    type Err = ValueError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = [Protocol::Tcp, Protocol::Udp, Protocol::Mptcp, Protocol::Udplite, Protocol::Sctp];
        let is_it =
            |protocol: &Protocol| protocol.as_str().is_some_and(|known| known.eq_ignore_ascii_case(word));
        known.into_iter().find(is_it).map(Self).ok_or_else(|| ValueError::PortProtocol(word.to_owned()))
    }
}
