//! A refusal's sockets in the terms of the rule.

use std::net::IpAddr;

use super::sockets::{Asked, Endpoint, Group, Held, Port, Stage, Transport};
use crate::event::{Holder, Interface, Options, Ownership, Protocol, Socket, State};

impl Asked {
    /// The refused socket; `listening` if the call was listen(2).
    #[must_use]
    pub fn of(socket: &Socket, listening: bool) -> Self {
        Self {
            transport: transport(socket.protocol),
            endpoint: endpoint(socket.address, socket.options, socket.interface.as_ref(), socket.uid),
            port: if socket.port == 0 { Port::Any { relaxed: false } } else { Port::Given },
            listening,
            force_reuse: false,
            group: Group::None,
        }
    }
}

impl Held {
    /// A socket on the port.
    #[must_use]
    pub fn of(holder: &Holder) -> Self {
        // Only TIME_WAIT sockets have no owner, and the rule does not compare their owner.
        let uid = holder.uid.unwrap_or_default();
        let endpoint = endpoint(holder.address, holder.options, holder.interface.as_ref(), uid);
        Self { endpoint, stage: stage(holder) }
    }
}

/// An endpoint without a VRF, because the search stays within one bind bucket.
fn endpoint(address: IpAddr, options: Options, interface: Option<&Interface>, uid: u32) -> Endpoint {
    Endpoint {
        address,
        v6_only: options.v6_only,
        device: interface.map_or(0, |interface| interface.index),
        master: 0,
        reuse_address: options.reuse_address,
        reuse_port: options.reuse_port,
        uid,
    }
}

/// The tables of other protocols are not searched.
const fn transport(protocol: Protocol) -> Transport {
    match protocol {
        Protocol::Udp | Protocol::Udplite => Transport::Udp,
        _ => Transport::Tcp,
    }
}

const fn stage(holder: &Holder) -> Stage {
    match (holder.ownership, holder.state) {
        (Ownership::TimeWait, _) => Stage::TimeWait,
        (Ownership::Orphan | Ownership::NotAccepted, _) => Stage::Detached,
        (_, State::Listen) => Stage::Listening,
        _ => Stage::Open,
    }
}
