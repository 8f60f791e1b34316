//! Ports that no other run and no ephemeral connection uses.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use anyhow::bail;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

/// The lowest port handed out.
const LOW: u16 = 10_000;
/// How many ports follow it; all of them below the default ephemeral range.
const COUNT: u16 = 22_000;

/// Hands out each port once. A port stays reserved against parallel runs until the value is dropped.
pub struct Ports {
    next: u16,
    left: u16,
    claims: Vec<OwnedFd>,
}

impl Ports {
    /// Starts at a random port.
    #[must_use]
    pub fn new() -> Self {
        let random = RandomState::new().build_hasher().finish() % u64::from(COUNT);
        Self { next: u16::try_from(random).unwrap_or_default(), left: COUNT, claims: Vec::new() }
    }

    /// A port that is free for TCP and UDP on every address.
    ///
    /// # Errors
    ///
    /// If none is left.
    pub fn take(&mut self) -> anyhow::Result<u16> {
        while self.left > 0 {
            let port = LOW + self.next;
            self.next = (self.next + 1) % COUNT;
            self.left -= 1;
            if let Some(claim) = claim(port)?
                && is_free(port)
            {
                self.claims.push(claim);
                return Ok(port);
            }
        }
        bail!("all {COUNT} ports from {LOW} on are taken")
    }

    /// Releases the ports of a finished scenario; they are not handed out again.
    pub fn release(&mut self) {
        self.claims.clear();
    }
}

impl Default for Ports {
    fn default() -> Self {
        Self::new()
    }
}

/// Reserves a port against other runs: the name of an abstract socket becomes free when its owner ends.
fn claim(port: u16) -> anyhow::Result<Option<OwnedFd>> {
    let claim = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let name = format!("portbind-tests-port-{port}");
    match rustix::net::bind(&claim, &SocketAddrUnix::new_abstract_name(name.as_bytes())?) {
        Ok(()) => Ok(Some(claim)),
        Err(Errno::ADDRINUSE) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether no socket on this machine has the port, not even in TIME_WAIT. The dual-stack wildcard address conflicts
/// with every address.
fn is_free(port: u16) -> bool {
    let everywhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let bound = |kind| {
        let socket = rustix::net::socket_with(AddressFamily::INET6, kind, SocketFlags::CLOEXEC, None)?;
        rustix::net::bind(&socket, &everywhere)
    };
    bound(SocketType::STREAM).is_ok() && bound(SocketType::DGRAM).is_ok()
}
