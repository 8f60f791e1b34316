//! Plays one pair: predicts each bind and listen, and then makes it.

use std::os::fd::{AsFd as _, OwnedFd};

use portbind::diagnosis::rule::{
    self, Asked, Generation, Group, Held, Memory, Outcome, Port, Stage, Transport,
};

use super::hold::{self, Kept};
use super::plan::{HolderPlan, HolderState, Plan, Then};
use super::sockets;
use super::world::World;
use crate::sys;

const BACKLOG: i32 = 4;

/// The results of one call: of the rule and of the kernel.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) call: &'static str,
    pub(super) outcome: Outcome,
    pub(super) refused: bool,
}

/// The port of a pair, as the rule models it.
#[derive(Debug)]
struct Table {
    generation: Generation,
    transport: Transport,
    /// The holders in the order in which the kernel visits them.
    held: Vec<Held>,
    memory: Memory,
    answers: Vec<Answer>,
}

/// Plays a pair; returns the answers to each of its calls.
pub(super) fn play(
    generation: Generation,
    world: &World,
    plan: &Plan,
    port: u16,
) -> anyhow::Result<Vec<Answer>> {
    let mut table = Table {
        generation,
        transport: plan.transport,
        held: Vec::new(),
        memory: Memory::default(),
        answers: Vec::new(),
    };
    let mut bound = Vec::new();
    for holder in &plan.holders {
        if let Some(socket) = table.hold(world, holder, port)? {
            bound.push((socket, holder.state));
        }
    }
    table.asker(world, plan, port, &bound)?;
    Ok(table.answers)
}

impl Table {
    /// Records the results of the rule and of the kernel for a call; returns whether the call succeeded.
    fn compare(&mut self, call: &'static str, asked: &Asked, outcome: Outcome, refused: bool) -> bool {
        self.answers.push(Answer { call, outcome, refused });
        if !refused {
            self.memory = self.memory.after(self.generation, asked, self.held.is_empty());
        }
        !refused
    }

    fn decide(&self, asked: &Asked) -> Outcome {
        rule::decide(self.generation, asked, &self.held, &self.memory)
    }

    /// Listens with a socket that is not among the holders (yet).
    fn listen(&mut self, call: &'static str, socket: &OwnedFd, asked: Asked) -> anyhow::Result<bool> {
        let asked = Asked { listening: true, ..asked };
        let outcome = self.decide(&asked);
        let refused = sockets::refused(rustix::net::listen(socket, BACKLOG))?;
        Ok(self.compare(call, &asked, outcome, refused))
    }

    /// Binds a holder and brings it into its state; returns the sockets to keep open, if the bind succeeded.
    fn hold(&mut self, world: &World, plan: &HolderPlan, port: u16) -> anyhow::Result<Option<Kept>> {
        let socket = sockets::prepare(self.transport, &plan.socket)?;
        let asked = sockets::asking(self.transport, sockets::endpoint(&plan.socket), false);
        let outcome = self.decide(&asked);
        let refused = sockets::refused(sockets::bind(&socket, plan.socket.address, port))?;
        if !self.compare("bind of a holder", &asked, outcome, refused) {
            return Ok(None);
        }
        let mut plan = *plan;
        let listens =
            matches!(plan.state, HolderState::Listening | HolderState::Child | HolderState::Unaccepted);
        if listens && !self.listen("listen of a holder", &socket, asked)? {
            // The holder stays bound.
            plan.state = HolderState::Bound;
        }
        let mut kept = hold::bring(world, self.transport, &plan, port, socket)?;
        if let (Some(socket), Some(device)) = (&kept.socket, plan.later_device) {
            sockets::move_to(socket, device)?;
            kept.held.iter_mut().for_each(|held| held.endpoint.device = device);
        }
        for held in &kept.held {
            self.insert(asked, *held);
        }
        Ok(Some(kept))
    }

    /// KERNEL: `sk_add_node_rcu` (include/net/sock.h, 5.10 to 7.3) puts a UDP socket at the head of its
    /// slot, an IPv6 one with SO_REUSEPORT at the tail.
    fn insert(&mut self, asked: Asked, held: Held) {
        let is_udp = self.transport == Transport::Udp;
        if is_udp && asked.endpoint.reuse_port && asked.endpoint.address.is_ipv6() {
            self.held.push(held);
        } else {
            self.held.insert(0, held);
        }
    }

    /// Binds the asker, and then continues as planned.
    fn asker(
        &mut self,
        world: &World,
        plan: &Plan,
        port: u16,
        bound: &[(Kept, HolderState)],
    ) -> anyhow::Result<()> {
        let socket = sockets::prepare(self.transport, &plan.asker)?;
        let mut asked = sockets::asking(self.transport, sockets::endpoint(&plan.asker), false);
        if plan.program {
            sys::net::attach_group_program(socket.as_fd())?;
            asked.group = Group::Live;
        }
        if plan.repair {
            sockets::repair(&socket)?;
            asked.force_reuse = true;
            asked.endpoint.reuse_address = true;
        }
        if plan.any_port {
            return self.any_port(world, &socket, asked, port);
        }
        let outcome = self.decide(&asked);
        let refused = sockets::refused(sockets::bind(&socket, plan.asker.address, port))?;
        if self.compare("bind of the asker", &asked, outcome, refused) {
            self.after_bind(plan.then, &socket, asked, bound)?;
        }
        Ok(())
    }

    /// Binds to port 0 while the holders' port is the only one in the range.
    fn any_port(&mut self, world: &World, socket: &OwnedFd, asked: Asked, port: u16) -> anyhow::Result<()> {
        let asked = Asked { port: Port::Any { relaxed: false }, ..asked };
        let mut outcome = self.decide(&asked);
        if outcome.clause.refuses() && world.autobind_reuse && self.transport == Transport::Tcp {
            outcome = self.decide(&Asked { port: Port::Any { relaxed: true }, ..asked });
        }
        let result = World::with_one_port(port, || sockets::bind(socket, asked.endpoint.address, 0))?;
        self.compare("bind of the asker", &asked, outcome, sockets::refused(result)?);
        Ok(())
    }

    fn after_bind(
        &mut self,
        then: Then,
        socket: &OwnedFd,
        asked: Asked,
        bound: &[(Kept, HolderState)],
    ) -> anyhow::Result<()> {
        let rival = bound.iter().find(|(_, state)| *state == HolderState::Bound);
        if then == Then::Race
            && let Some((Kept { socket: Some(rival), held, .. }, _)) = rival
            && let Some(place) = self.held.iter().position(|other| held.first() == Some(other))
        {
            let mut rival_held = self.held.remove(place);
            // The asker is the newest socket on the port while its rival listens.
            self.held.insert(0, Held { endpoint: asked.endpoint, stage: Stage::Open });
            let rival_asks = sockets::asking(self.transport, rival_held.endpoint, false);
            if self.listen("listen of the rival", rival, rival_asks)? {
                rival_held.stage = Stage::Listening;
            }
            self.held.remove(0);
            self.held.insert(place, rival_held);
        }
        if then != Then::Nothing {
            self.listen("listen of the asker", socket, asked)?;
        }
        Ok(())
    }
}
