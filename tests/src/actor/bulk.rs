//! Actions that do one thing many times.

use std::net::SocketAddr;

use rustix::io::Errno;
use rustix::net::SocketFlags;

use super::action::{Answer, Family, Protocol};
use super::sockets::{Failure, Sockets, open};

/// Opens connections to a listener of this actor, one after the other, and keeps both ends.
pub(super) fn crowd(stage: &mut Sockets, listener: &str, count: u32) -> Result<Answer, Failure> {
    let address = SocketAddr::try_from(rustix::net::getsockname(stage.get(listener)?)?)?;
    let family = if address.is_ipv4() { Family::Inet } else { Family::Inet6 };
    let mut answer = Answer::default();
    for _ in 0..count {
        let client = open(family, Protocol::Tcp, &[])?;
        rustix::net::connect(&client, &address)?;
        let server = rustix::net::accept_with(stage.get(listener)?, SocketFlags::CLOEXEC)?;
        stage.keep(&format!("{listener}-clients"), client)?;
        answer = stage.keep(&format!("{listener}-connections"), server)?;
    }
    Ok(Answer { inode: None, fd: None, ..answer })
}

/// Binds one new socket after the other to an address that is taken.
pub(super) fn storm(
    family: Family,
    protocol: Protocol,
    address: SocketAddr,
    count: u32,
) -> Result<Answer, Failure> {
    let mut refused = 0;
    // One socket serves for all attempts: a refused bind leaves it unbound.
    let socket = open(family, protocol, &[])?;
    for _ in 0..count {
        match rustix::net::bind(&socket, &address) {
            Err(Errno::ADDRINUSE) => refused += 1,
            Err(errno) => return Err(errno.into()),
            Ok(()) => return Err(Failure::Fault("a bind of the storm succeeded".to_owned())),
        }
    }
    Ok(Answer { pid: std::process::id(), refused: Some(refused), ..Answer::default() })
}
