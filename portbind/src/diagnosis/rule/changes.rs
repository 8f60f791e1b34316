//! Which changes would make a refused call succeed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::decide::decide;
use super::generation::Generation;
use super::memory::Memory;
use super::sockets::{Asked, Held, Stage};

/// A single change; each is tried on its own. Holders would have had to change before their bind, because only a new
/// socket can set these options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// The new socket sets SO_REUSEADDR; the holders have it.
    AskerReuseAddress,
    /// The holders set SO_REUSEADDR; the new socket has it.
    HoldersReuseAddress,
    /// Both sides set SO_REUSEADDR.
    BothReuseAddress,
    /// The new socket sets SO_REUSEPORT; the holders have it.
    AskerReusePort,
    /// The holders set SO_REUSEPORT; the new socket has it.
    HoldersReusePort,
    /// Both sides set SO_REUSEPORT.
    BothReusePort,
    /// The new socket belongs to the user of the holders.
    SameUser,
    /// The new socket sets IPV6_V6ONLY.
    AskerV6Only,
    /// The holders, which are bound to `::`, set IPV6_V6ONLY.
    HoldersV6Only,
    /// The new socket binds one address, which no holder has bound, in place of the wildcard.
    AskerOwnAddress,
    /// The holders do not listen (yet).
    HoldersNotListening,
}

impl Change {
    /// All of them, the smallest first.
    pub const ALL: [Self; 11] = [
        Self::AskerReuseAddress,
        Self::AskerReusePort,
        Self::AskerV6Only,
        Self::AskerOwnAddress,
        Self::SameUser,
        Self::HoldersReuseAddress,
        Self::HoldersReusePort,
        Self::HoldersV6Only,
        Self::HoldersNotListening,
        Self::BothReuseAddress,
        Self::BothReusePort,
    ];

    /// Applies the change; false if it changes nothing.
    fn apply(self, generation: Generation, asked: &mut Asked, holders: &mut [Held]) -> bool {
        match self {
            Self::AskerReuseAddress => set(&mut asked.endpoint.reuse_address),
            Self::AskerReusePort => set(&mut asked.endpoint.reuse_port),
            Self::AskerV6Only => is_dual_stack(asked.endpoint.address) && set(&mut asked.endpoint.v6_only),
            Self::AskerOwnAddress => specify(&mut asked.endpoint.address),
            Self::SameUser => same_user(generation, asked, holders),
            Self::HoldersReuseAddress => each(holders, |held| set(&mut held.endpoint.reuse_address)),
            Self::HoldersReusePort => each(holders, |held| set(&mut held.endpoint.reuse_port)),
            Self::HoldersV6Only => {
                each(holders, |held| is_dual_stack(held.endpoint.address) && set(&mut held.endpoint.v6_only))
            }
            Self::HoldersNotListening => each(holders, |held| {
                let listens = held.stage == Stage::Listening;
                held.stage = if listens { Stage::Open } else { held.stage };
                listens
            }),
            Self::BothReuseAddress => {
                set(&mut asked.endpoint.reuse_address)
                    && each(holders, |held| set(&mut held.endpoint.reuse_address))
            }
            Self::BothReusePort => {
                set(&mut asked.endpoint.reuse_port)
                    && each(holders, |held| set(&mut held.endpoint.reuse_port))
            }
        }
    }
}

/// The changes each of which alone lets `asked` have the port; none if it may have the port already. The bucket's
/// memory is ignored, so that no change is offered that works only by a fast path.
#[must_use]
pub fn changes(generation: Generation, asked: &Asked, holders: &[Held]) -> Vec<Change> {
    let passes = |asked: &Asked, holders: &[Held]| {
        !decide(generation, asked, holders, &Memory::default()).clause.refuses()
    };
    if passes(asked, holders) {
        return Vec::new();
    }
    let helps = |change: &Change| {
        let (mut asked, mut holders) = (*asked, holders.to_vec());
        change.apply(generation, &mut asked, &mut holders) && passes(&asked, &holders)
    };
    Change::ALL.into_iter().filter(helps).collect()
}

/// Sets a flag; false if it was set.
fn set(flag: &mut bool) -> bool {
    !std::mem::replace(flag, true)
}

/// Changes every holder; false if no holder changed.
fn each(holders: &mut [Held], change: impl FnMut(&mut Held) -> bool) -> bool {
    holders.iter_mut().map(change).fold(false, |changed, one| changed | one)
}

fn is_dual_stack(address: IpAddr) -> bool {
    address == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
}

/// Replaces a wildcard address by an address reserved for documentation (RFC 5737 and 3849), which no host has.
fn specify(address: &mut IpAddr) -> bool {
    let documentation = Ipv4Addr::new(192, 0, 2, 1);
    let specific = match *address {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(documentation),
        IpAddr::V6(v6) if v6.is_unspecified() => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        IpAddr::V6(v6) if v6.to_ipv4_mapped() == Some(Ipv4Addr::UNSPECIFIED) => {
            IpAddr::V6(documentation.to_ipv6_mapped())
        }
        _ => return false,
    };
    *address = specific;
    true
}

/// Gives the new socket the user of the first holder that has a different one.
fn same_user(generation: Generation, asked: &mut Asked, holders: &[Held]) -> bool {
    let uid = asked.endpoint.uid;
    let mut others =
        holders.iter().filter(|held| held.stage != Stage::TimeWait).map(|held| held.uid(generation));
    let Some(other) = others.find(|other| *other != uid) else { return false };
    asked.endpoint.uid = other;
    true
}
