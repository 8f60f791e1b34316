//! The kernel's answer for a pair of sockets, and for a whole call.

use super::address::Meeting;
use super::clause::Clause;
use super::generation::Generation;
use super::memory::Memory;
use super::sockets::{Asked, Endpoint, Group, Held, Port, Stage, Transport};

/// The kernel's answer to a whole call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The clause that decided.
    pub clause: Clause,
    /// Index of the holder that decided.
    pub holder: Option<usize>,
}

/// Whether `held`, as the only socket on the port, is in the way of `asked`, and by which clause.
#[must_use]
pub fn judge(generation: Generation, asked: &Asked, held: &Held) -> Clause {
    judge_among(generation, asked, held, &held.endpoint)
}

/// As [`judge`], for one of several sockets in the list that `founder` created.
fn judge_among(generation: Generation, asked: &Asked, held: &Held, founder: &Endpoint) -> Clause {
    if let Some(clause) = never_meet(generation, asked, held, founder) {
        return clause;
    }
    let is_udp = asked.transport == Transport::Udp;
    let both_reuse_address = asked.endpoint.reuse_address && held.endpoint.reuse_address;
    let address_is_shared = both_reuse_address && (is_udp || held.stage != Stage::Listening);
    let sharing = sharing(generation, asked, held);
    match asked.port {
        Port::Any { relaxed } if !is_udp => match (relaxed && address_is_shared, sharing) {
            (false, _) => Clause::PortTaken,
            (true, Ok(_)) => Clause::PortOfOwnGroup,
            (true, Err(_)) => Clause::BothReuseAddress,
        },
        _ if address_is_shared => Clause::BothReuseAddress,
        _ => match sharing {
            Ok(clause) => clause,
            Err(Clause::NothingShared) if both_reuse_address => Clause::HolderListens,
            Err(clause) => clause,
        },
    }
}

/// The kernel's answer to a bind (or listen) of `asked` with `holders` on the port and `memory` in its bind bucket.
///
/// The newest holder comes first, as in the kernel's lists. The order matters to UDP, which puts an IPv6 socket with
/// SO_REUSEPORT last instead (`sk_add_node_rcu`, include/net/sock.h), and to the clause
/// [`Clause::MappedWildcardMissed`].
#[must_use]
pub fn decide(generation: Generation, asked: &Asked, holders: &[Held], memory: &Memory) -> Outcome {
    if holders.is_empty() {
        return Outcome { clause: Clause::PortFree, holder: None };
    }
    if asked.transport == Transport::Tcp
        && asked.port == Port::Given
        && let Some(clause) = memory.admits(asked)
    {
        return Outcome { clause, holder: None };
    }
    let founder = holders.iter().rev().find(|held| super::address::is_v4_wildcard(&held.endpoint));
    let mut first = None;
    for (index, held) in holders.iter().enumerate() {
        let founder = founder.unwrap_or(held);
        let clause = judge_among(generation, asked, held, &founder.endpoint);
        let outcome = Outcome { clause, holder: Some(index) };
        if outcome.clause.refuses() || ends_search(asked, outcome.clause) {
            return outcome;
        }
        first.get_or_insert(outcome);
    }
    first.unwrap_or(Outcome { clause: Clause::PortFree, holder: None })
}

/// UDP stops its search at the first holder of its own group, whatever other sockets are on the port
/// (`udp_lib_lport_inuse`, 5.10 to 7.3; only for an explicit port).
fn ends_search(asked: &Asked, clause: Clause) -> bool {
    asked.transport == Transport::Udp && asked.port == Port::Given && clause == Clause::SameGroup
}

/// The clauses by which two sockets never conflict, whatever their options.
fn never_meet(generation: Generation, asked: &Asked, held: &Held, founder: &Endpoint) -> Option<Clause> {
    let is_tcp = asked.transport == Transport::Tcp;
    let (new, old) = (&asked.endpoint, &held.endpoint);
    if is_tcp && asked.port == Port::Given && asked.force_reuse {
        return Some(Clause::ForceReuse);
    }
    if is_tcp && new.master != old.master {
        return Some(Clause::OtherBucket);
    }
    if new.device != 0 && old.device != 0 && new.device != old.device {
        return Some(Clause::DifferentDevices);
    }
    match super::address::meet(generation, asked.transport, new, old, founder) {
        Meeting::Overlap => None,
        Meeting::Apart => Some(Clause::AddressesApart),
        Meeting::Missed => Some(Clause::MappedWildcardMissed),
    }
}

/// Whether SO_REUSEPORT lets both have the port, and by which clause.
fn sharing(generation: Generation, asked: &Asked, held: &Held) -> Result<Clause, Clause> {
    if !asked.endpoint.reuse_port || !held.endpoint.reuse_port {
        return Err(Clause::NothingShared);
    }
    let may_join = match asked.group {
        Group::None => true,
        Group::Live => false,
        Group::WithClosed => asked.transport == Transport::Tcp && generation.rejoins_closed_groups(),
    };
    if !may_join {
        Err(Clause::AskerInGroup)
    } else if held.stage == Stage::TimeWait {
        Ok(Clause::TimeWaitOfAnyUser)
    } else if held.uid(generation) == asked.endpoint.uid {
        Ok(Clause::SameGroup)
    } else {
        Err(Clause::OtherUser)
    }
}
