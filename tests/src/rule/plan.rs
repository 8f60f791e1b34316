//! The random plan of a pair.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use portbind::diagnosis::rule::Transport;

use super::random::Random;

/// One pair: the holders, the socket that requests their port (the asker), and the later calls.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) transport: Transport,
    /// Bound one after the other, if the kernel allows it.
    pub(super) holders: Vec<HolderPlan>,
    pub(super) asker: SocketPlan,
    /// The asker requests port 0, and the port is the only one in the range.
    pub(super) any_port: bool,
    /// The asker turns TCP_REPAIR on before its bind.
    pub(super) repair: bool,
    /// The asker, which has SO_REUSEPORT, attaches a BPF program for its group before its bind.
    pub(super) program: bool,
    /// The calls after the bind of the asker.
    pub(super) then: Then,
}

/// The calls after a successful bind of the asker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    /// The asker listens.
    Listen,
    /// A bound holder listens, and then the asker.
    Race,
}

/// A socket until its bind.
#[derive(Clone, Copy, Debug)]
pub(super) struct SocketPlan {
    pub(super) address: IpAddr,
    /// IPV6_V6ONLY is set.
    pub(super) v6_only: bool,
    pub(super) reuse_address: bool,
    pub(super) reuse_port: bool,
    /// SO_BINDTOIFINDEX; no interface has the index 2.
    pub(super) device: u32,
    pub(super) uid: u32,
}

/// A holder.
#[derive(Clone, Copy, Debug)]
pub(super) struct HolderPlan {
    pub(super) socket: SocketPlan,
    pub(super) state: HolderState,
    /// SO_REUSEADDR and SO_REUSEPORT after the bind (and the listen), if they change.
    pub(super) later: Option<(bool, bool)>,
    /// The last interface, if it changes.
    pub(super) later_device: Option<u32>,
    /// A dual-stack socket is connected over IPv6 instead of IPv4.
    pub(super) by_v6: bool,
}

/// The state of a holder at the asker's bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HolderState {
    Bound,
    /// TCP.
    Listening,
    /// Connected from the port.
    Connected,
    /// TCP: an accepted connection, its listener closed.
    Child,
    /// TCP: a listener and a connection that it has not accepted.
    Unaccepted,
    /// TCP: connected from the port and closed, with data that the peer has not read.
    Orphan,
    /// TCP: closed locally, and not by the peer.
    FinWait2,
    /// TCP.
    TimeWait,
}

impl HolderState {
    const TCP: [Self; 9] = [
        Self::Bound,
        Self::Listening,
        Self::Listening,
        Self::Connected,
        Self::Child,
        Self::Unaccepted,
        Self::Orphan,
        Self::FinWait2,
        Self::TimeWait,
    ];

    /// The holder has an open socket, whose interface can change.
    const fn is_open(self) -> bool {
        matches!(self, Self::Bound | Self::Listening | Self::Connected | Self::Child)
    }

    /// The holder can send and receive.
    const fn has_peer(self) -> bool {
        !matches!(self, Self::Bound | Self::Listening)
    }
}

/// Addresses, and whether IPV6_V6ONLY is set. The kernel writes 127.0.0.6 into the IPv4 field of a socket with a
/// specific IPv6 address.
const ADDRESSES: [(IpAddr, bool); 9] = [
    (IpAddr::V4(Ipv4Addr::UNSPECIFIED), false),
    (IpAddr::V4(Ipv4Addr::LOCALHOST), false),
    (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), false),
    (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 6)), false),
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), false),
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), true),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), false),
    (IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped()), false),
    (IpAddr::V6(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped()), false),
];

const MOST_HOLDERS: usize = 4;

impl Plan {
    /// The pair with this number under a seed.
    pub(super) fn random(seed: u64, number: u64) -> Self {
        let mut random = Random::of(seed, number);
        let transport = if random.one_in(3) { Transport::Udp } else { Transport::Tcp };
        let is_tcp = transport == Transport::Tcp;
        let mut holders = vec![HolderPlan::random(&mut random, transport, false)];
        while holders.len() < MOST_HOLDERS && random.one_in(2) {
            holders.push(HolderPlan::random(&mut random, transport, true));
        }
        let asker = SocketPlan::random(&mut random, true);
        let any_port = random.one_in(12);
        let repair = is_tcp && random.one_in(32);
        let may_listen = is_tcp && !repair && !any_port;
        Self {
            transport,
            holders,
            asker,
            any_port,
            repair,
            program: asker.reuse_port && random.one_in(6),
            then: if may_listen {
                random.pick([Then::Nothing, Then::Listen, Then::Race])
            } else {
                Then::Nothing
            },
        }
    }
}

impl HolderPlan {
    /// Only the first holder may be connected: it has the port alone at that time.
    fn random(random: &mut Random, transport: Transport, is_second: bool) -> Self {
        let state = match transport {
            Transport::Udp if is_second => HolderState::Bound,
            Transport::Udp => random.pick([HolderState::Bound, HolderState::Connected]),
            Transport::Tcp if is_second => random.pick([HolderState::Bound, HolderState::Listening]),
            Transport::Tcp => random.pick(HolderState::TCP),
        };
        let socket = SocketPlan::random(random, !state.has_peer());
        let changes = random.one_in(3);
        let moves = random.one_in(8) && state.is_open();
        Self {
            socket,
            state,
            later: changes.then(|| (random.one_in(2), random.one_in(2))),
            later_device: moves.then(|| random.pick([0, 1, 2])),
            by_v6: random.one_in(2),
        }
    }
}

impl SocketPlan {
    /// A missing interface carries no traffic, and allows no bind to a specific or mapped IPv6 address.
    fn random(random: &mut Random, may_miss_interface: bool) -> Self {
        let (address, v6_only) = random.pick(ADDRESSES);
        let needs_interface = address.is_ipv6() && address != IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let device = match random.pick([0, 0, 0, 0, 1, 2]) {
            2 if needs_interface || !may_miss_interface => 1,
            device => device,
        };
        Self {
            address,
            v6_only,
            reuse_address: random.one_in(2),
            reuse_port: random.one_in(2),
            device,
            uid: random.pick([0, 0, 1, 2]),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.transport)?;
        for holder in &self.holders {
            write!(f, ", {:?} holder {}", holder.state, holder.socket)?;
            if let Some((reuse_address, reuse_port)) = holder.later {
                write!(f, " then RA={} RP={}", u8::from(reuse_address), u8::from(reuse_port))?;
            }
            if let Some(device) = holder.later_device {
                write!(f, " then dev={device}")?;
            }
            if holder.by_v6 {
                f.write_str(" by IPv6")?;
            }
        }
        write!(f, "; asker {}", self.asker)?;
        for (is_set, word) in
            [(self.any_port, "any port"), (self.repair, "TCP_REPAIR"), (self.program, "group program")]
        {
            if is_set {
                write!(f, " {word}")?;
            }
        }
        match self.then {
            Then::Nothing => Ok(()),
            Then::Listen => f.write_str(", listens"),
            Then::Race => f.write_str(", listens after the holders"),
        }
    }
}

impl fmt::Display for SocketPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only = if self.v6_only { " v6only" } else { "" };
        let (reuse_address, reuse_port) = (u8::from(self.reuse_address), u8::from(self.reuse_port));
        write!(f, "{}{only} RA={reuse_address} RP={reuse_port}", self.address)?;
        write!(f, " dev={} uid={}", self.device, self.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_number_same_plan() {
        let shown = |number| Plan::random(3, number).to_string();
        assert_eq!(shown(5), shown(5));
        assert!((0..20).any(|number| shown(number) != shown(5)));
    }

    #[test]
    fn plans_can_be_made() {
        for plan in (0..2000).map(|number| Plan::random(1, number)) {
            for (place, holder) in plan.holders.iter().enumerate() {
                let has_interface = holder.socket.device != 2;
                assert!(has_interface || !holder.state.has_peer(), "{plan}: sends without an interface");
                assert!(place == 0 || !holder.state.has_peer(), "{plan}: a second one is connected");
            }
            assert!(!plan.program || plan.asker.reuse_port, "{plan}: a program without a group");
            assert!(plan.then == Then::Nothing || plan.transport == Transport::Tcp, "{plan}: UDP listens");
        }
    }
}
