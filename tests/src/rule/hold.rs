//! Brings a bound holder into its state.

use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::ensure;
use portbind::diagnosis::rule::{Endpoint, Held, Stage, Transport};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown, SocketFlags};

use super::plan::{HolderPlan, HolderState};
use super::sockets;
use super::world::{World, reaches};

/// A chunk of data for a peer that does not read.
const CHUNK: [u8; 4096] = [0; 4096];
/// Chunks after which any two small buffers are full.
const CHUNKS: usize = 1024;

/// Sockets that are kept for the pair, and the rule's view of the ones on the port.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The bound socket, if it is still open.
    pub(super) socket: Option<OwnedFd>,
    /// Other sockets.
    others: Vec<OwnedFd>,
    /// The sockets on the port.
    pub(super) held: Vec<Held>,
}

/// Brings a bound `socket`, which listens if the state requires it, into the state of `plan`.
pub(super) fn bring(
    world: &World,
    transport: Transport,
    plan: &HolderPlan,
    port: u16,
    socket: OwnedFd,
) -> anyhow::Result<Kept> {
    let mut endpoint = sockets::endpoint(&plan.socket);
    if let Some((address, port)) = plan.later {
        sockets::reuse(&socket, address, port)?;
        (endpoint.reuse_address, endpoint.reuse_port) = (address, port);
    }
    let stage = match plan.state {
        HolderState::Bound => Stage::Open,
        HolderState::Listening => Stage::Listening,
        HolderState::Connected if transport == Transport::Udp => {
            let to = reaches(plan.socket.address, plan.socket.v6_only, plan.by_v6);
            rustix::net::connect(&socket, &SocketAddr::new(to, port))?;
            Stage::Open
        }
        HolderState::Child | HolderState::Unaccepted => {
            return of_listener(plan, port, socket, endpoint);
        }
        _ => return of_client(world, plan, socket, endpoint),
    };
    endpoint.address = sockets::local(&socket)?;
    Ok(Kept { socket: Some(socket), others: Vec::new(), held: vec![Held { endpoint, stage }] })
}

/// A connection to a listener on the port.
fn of_listener(plan: &HolderPlan, port: u16, listener: OwnedFd, endpoint: Endpoint) -> anyhow::Result<Kept> {
    let to = reaches(plan.socket.address, plan.socket.v6_only, plan.by_v6);
    let client = sockets::open(Transport::Tcp, plan.socket.address, plan.socket.uid)?;
    rustix::net::connect(&client, &SocketAddr::new(to, port))?;
    let connection = Endpoint { address: to, ..endpoint };
    let mut kept = Kept::default();
    if plan.state == HolderState::Unaccepted {
        kept.held.push(Held { endpoint: connection, stage: Stage::Detached });
        kept.held.push(Held { endpoint, stage: Stage::Listening });
        kept.socket = Some(listener);
    } else {
        let child = rustix::net::accept_with(&listener, SocketFlags::CLOEXEC)?;
        ensure!(sockets::local(&child)? == to, "a connection has another address than was connected to");
        kept.held.push(Held { endpoint: connection, stage: Stage::Open });
        kept.socket = Some(child);
    }
    kept.others.push(client);
    Ok(kept)
}

/// A connection from the port.
fn of_client(
    world: &World,
    plan: &HolderPlan,
    client: OwnedFd,
    mut endpoint: Endpoint,
) -> anyhow::Result<Kept> {
    let to = reaches(plan.socket.address, plan.socket.v6_only, plan.by_v6);
    let peer = world.connect(&client, to, plan.state == HolderState::Orphan)?;
    endpoint.address = sockets::local(&client)?;
    let mut kept = Kept::default();
    let stage = match plan.state {
        HolderState::Orphan => {
            fill(&client)?;
            drop(client);
            kept.others.push(peer);
            Stage::Detached
        }
        HolderState::FinWait2 => {
            close_one_side(&client, &peer)?;
            // The byte carries the acknowledgement of the local FIN.
            rustix::net::send(&peer, b"x", SendFlags::NOSIGNAL)?;
            ensure!(receive(&client)? == 1, "the peer closed early");
            drop(client);
            kept.others.push(peer);
            Stage::TimeWait
        }
        HolderState::TimeWait => {
            close_one_side(&client, &peer)?;
            drop(peer);
            ensure!(receive(&client)? == 0, "the peer sent something");
            drop(client);
            Stage::TimeWait
        }
        _ => {
            kept.others.push(peer);
            kept.socket = Some(client);
            Stage::Open
        }
    };
    kept.held.push(Held { endpoint, stage });
    Ok(kept)
}

/// Writes until the buffers are full.
fn fill(socket: &OwnedFd) -> anyhow::Result<()> {
    for _ in 0..CHUNKS {
        match rustix::net::send(socket.as_fd(), &CHUNK, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(_) => {}
            Err(Errno::AGAIN) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
    }
    anyhow::bail!("a peer that reads nothing takes {CHUNKS} chunks")
}

/// Closes one direction, and waits until the peer has received the FIN.
fn close_one_side(socket: &OwnedFd, peer: &OwnedFd) -> anyhow::Result<()> {
    rustix::net::shutdown(socket, Shutdown::Write)?;
    ensure!(receive(peer)? == 0, "something was sent");
    Ok(())
}

fn receive(socket: &OwnedFd) -> anyhow::Result<usize> {
    let mut byte = [0_u8];
    let (length, _) = rustix::net::recv(socket.as_fd(), &mut byte[..], RecvFlags::empty())?;
    Ok(length)
}
