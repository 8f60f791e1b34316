//! Actions that repeat one call many times.

use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Stdio};

use rustix::io::Errno;
use rustix::net::SocketFlags;

use super::action::{Answer, Family, Protocol};
use super::sockets::{Failure, Sockets, open};

/// The address on which helpers listen.
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Opens connections to a listener of this actor one after the other, and keeps both ends.
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

/// Repeatedly binds a socket to a taken address.
pub(super) fn storm(
    family: Family,
    protocol: Protocol,
    address: SocketAddr,
    count: u32,
) -> Result<Answer, Failure> {
    let mut refused = 0;
    // One socket serves for all attempts, because a refused bind leaves it unbound.
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

/// Starts helpers that [`hold`], one after the other; each ends as soon as this process was refused its port.
pub(super) fn transients(count: u32) -> Result<Answer, Failure> {
    let mut transients = Vec::new();
    for _ in 0..count {
        let mut helper = Command::new("/proc/self/exe")
            .arg("hold")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(helper.stdout.take().ok_or_else(|| fault("no output"))?).read_line(&mut line)?;
        let port: u16 = line.trim().parse().map_err(|_| fault("the helper shown no port"))?;
        let socket = open(Family::Inet, Protocol::Tcp, &[])?;
        let refused = rustix::net::bind(&socket, &SocketAddr::new(LOCALHOST, port));
        drop(helper.stdin.take());
        if refused != Err(Errno::ADDRINUSE) {
            return Err(fault("the port of the helper was not refused"));
        }
        helper.wait()?;
        transients.push((helper.id(), port));
    }
    Ok(Answer { pid: std::process::id(), transients, ..Answer::default() })
}

/// Binds and closes sockets.
pub(super) fn churn(count: u32) -> Result<Answer, Failure> {
    for _ in 0..count {
        let socket = open(Family::Inet, Protocol::Tcp, &[])?;
        rustix::net::bind(&socket, &SocketAddr::new(LOCALHOST, 0))?;
    }
    Ok(Answer { pid: std::process::id(), ..Answer::default() })
}

/// Holds a port, prints it, and ends when the input ends.
///
/// # Errors
///
/// If no port can be taken, or the pipes break.
pub fn hold() -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(())
}

fn fault(text: &str) -> Failure {
    Failure::Fault(text.to_owned())
}
