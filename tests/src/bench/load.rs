//! The contested port, and other sockets that load the machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Sender, channel};

use anyhow::{Context as _, ensure};
use clap::Args;
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_reuseport;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::ports::Ports;

/// The address of the contested port.
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The address of the other listeners.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
/// The first port of the other listeners.
const FIRST: u16 = 10_000;
/// Descriptors that a measurement may open.
const FILES: u64 = 60_000;

/// The sockets on the machine.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Load {
    /// Sockets on the contested port, all with SO_REUSEPORT.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(super) on_port: u32,
    /// Listeners on other ports.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(super) listeners: u16,
}

/// A port that is taken, and a socket that wants it.
pub(super) struct Taken {
    pub(super) port: u16,
    asking: OwnedFd,
    _companion: Sender<()>,
    _held: Vec<OwnedFd>,
    _ports: Ports,
}

impl Taken {
    /// Takes a port.
    pub(super) fn new(load: Load) -> anyhow::Result<Self> {
        let mut ports = Ports::new();
        let port = ports.take()?;
        let _raised = setrlimit(Resource::Nofile, Rlimit { current: Some(FILES), maximum: Some(FILES) });
        let mut held = Vec::new();
        for _ in 0..load.on_port {
            let socket = tcp()?;
            if load.on_port > 1 {
                set_socket_reuseport(&socket, true)?;
            }
            bind(&socket, &SocketAddr::new(LOCALHOST, port))?;
            held.push(socket);
        }
        // With several sockets, a listener would only be found sooner.
        if let [only] = held.as_slice() {
            listen(only, 16)?;
        }
        let mut count = 0;
        for other in FIRST..u16::MAX {
            if count == load.listeners {
                break;
            }
            let socket = tcp()?;
            if bind(&socket, &SocketAddr::new(ELSEWHERE, other)).is_ok() {
                listen(&socket, 1)?;
                held.push(socket);
                count += 1;
            }
        }
        ensure!(count == load.listeners, "only {count} listeners");
        Ok(Self { port, asking: tcp()?, _companion: companion(), _held: held, _ports: ports })
    }

    /// Makes one refused bind.
    pub(super) fn refuse(&self) -> anyhow::Result<()> {
        let outcome = bind(&self.asking, &SocketAddr::new(LOCALHOST, self.port));
        ensure!(outcome == Err(Errno::ADDRINUSE), "a bind that is to be refused gave {outcome:?}");
        Ok(())
    }
}

/// A thread that waits until its channel is closed. Descriptor look-ups cost more if threads share the descriptor table
/// (`__fget_light`, fs/file.c). The threads that read a tracer's output cause this, so the run without a tracer needs a
/// thread, too.
fn companion() -> Sender<()> {
    let (sender, waiting) = channel::<()>();
    std::thread::spawn(move || waiting.recv());
    sender
}

/// A TCP socket.
pub(super) fn tcp() -> anyhow::Result<OwnedFd> {
    socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).context("no socket")
}

/// Binds a new socket to a free port.
pub(super) fn bind_to(socket: &OwnedFd, port: u16) -> anyhow::Result<()> {
    bind(socket, &SocketAddr::new(LOCALHOST, port)).with_context(|| format!("port {port}"))
}
