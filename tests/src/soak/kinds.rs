//! The processes of the load, by the kind of their refusals.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use anyhow::ensure;
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_reuseaddr, set_socket_reuseport};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, getsockname, listen, netlink, socket,
    socket_with,
};

use super::process::{Held, Kind, await_end, process};
use crate::sys::process::{fork, leave};

/// An address that a listener on all addresses covers.
pub(super) const TCP: Kind = Kind { name: "tcp", work: tcp };

/// The kinds of each round.
pub(super) const ALL: &[Kind] = &[
    TCP,
    Kind { name: "udp", work: udp },
    Kind { name: "dual-stack", work: dual_stack },
    Kind { name: "reuse-port", work: reuse_port },
    Kind { name: "listen", work: listen_second },
    Kind { name: "time-wait", work: time_wait },
    Kind { name: "unix-path", work: unix_path },
    Kind { name: "unix-abstract", work: unix_abstract },
    Kind { name: "netlink", work: netlink_port },
    Kind { name: "success", work: success },
];

const TCP_TYPE: SocketType = SocketType::STREAM;

fn open(family: AddressFamily, kind: SocketType) -> anyhow::Result<OwnedFd> {
    Ok(socket_with(family, kind, SocketFlags::CLOEXEC, None)?)
}

/// Fails unless the error is EADDRINUSE.
fn is_refused(answer: Result<(), Errno>) -> anyhow::Result<()> {
    ensure!(answer == Err(Errno::ADDRINUSE), "{answer:?} in place of EADDRINUSE");
    Ok(())
}

fn ask(socket: &OwnedFd, address: SocketAddr, count: u32) -> anyhow::Result<u32> {
    (0..count).try_for_each(|_| is_refused(bind(socket, &address)))?;
    Ok(count)
}

fn tcp(held: &Held, count: u32) -> anyhow::Result<u32> {
    ask(&open(AddressFamily::INET, TCP_TYPE)?, (Ipv4Addr::LOCALHOST, held.tcp).into(), count)
}

fn udp(held: &Held, count: u32) -> anyhow::Result<u32> {
    ask(&open(AddressFamily::INET, SocketType::DGRAM)?, (Ipv4Addr::UNSPECIFIED, held.udp).into(), count)
}

fn dual_stack(held: &Held, count: u32) -> anyhow::Result<u32> {
    ask(&open(AddressFamily::INET6, TCP_TYPE)?, (Ipv6Addr::UNSPECIFIED, held.tcp).into(), count)
}

fn reuse_port(held: &Held, count: u32) -> anyhow::Result<u32> {
    let socket = open(AddressFamily::INET, TCP_TYPE)?;
    set_socket_reuseport(&socket, true)?;
    ask(&socket, (Ipv4Addr::UNSPECIFIED, held.tcp).into(), count)
}

/// Two sockets are bound to an address, and the first one listens before the second.
fn listen_second(_: &Held, count: u32) -> anyhow::Result<u32> {
    let (first, second) = (open(AddressFamily::INET, TCP_TYPE)?, open(AddressFamily::INET, TCP_TYPE)?);
    set_socket_reuseaddr(&first, true)?;
    set_socket_reuseaddr(&second, true)?;
    bind(&first, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    bind(&second, &SocketAddr::try_from(getsockname(&first)?)?)?;
    listen(&first, 8)?;
    (0..count).try_for_each(|_| is_refused(listen(&second, 8)))?;
    Ok(count)
}

/// The server closes its connection first, and then ends.
fn time_wait(_: &Held, count: u32) -> anyhow::Result<u32> {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = server.local_addr()?;
    let client = TcpStream::connect(address)?;
    drop(server.accept()?);
    drop(client);
    drop(server);
    ask(&open(AddressFamily::INET, TCP_TYPE)?, address, count)
}

/// A path is bound, and then its socket is closed.
fn unix_path(_: &Held, _: u32) -> anyhow::Result<u32> {
    let path = std::env::temp_dir().join(format!("portbind-soak-{}.sock", std::process::id()));
    let address = SocketAddrUnix::new(&path)?;
    let (first, second) = (open(AddressFamily::UNIX, TCP_TYPE)?, open(AddressFamily::UNIX, TCP_TYPE)?);
    bind(&first, &address)?;
    let held = is_refused(bind(&second, &address));
    drop(first);
    let stale = is_refused(bind(&second, &address));
    std::fs::remove_file(&path)?;
    held.and(stale)?;
    Ok(2)
}

fn unix_abstract(_: &Held, count: u32) -> anyhow::Result<u32> {
    let address =
        SocketAddrUnix::new_abstract_name(format!("portbind-soak-{}", std::process::id()).as_bytes())?;
    let (first, second) = (open(AddressFamily::UNIX, TCP_TYPE)?, open(AddressFamily::UNIX, TCP_TYPE)?);
    bind(&first, &address)?;
    (0..count).try_for_each(|_| is_refused(bind(&second, &address)))?;
    Ok(count)
}

fn netlink_port(_: &Held, count: u32) -> anyhow::Result<u32> {
    let open = || socket(AddressFamily::NETLINK, SocketType::RAW, None);
    let (first, second) = (open()?, open()?);
    let address = netlink::SocketAddrNetlink::new(0x4000_0000 + std::process::id(), 0);
    bind(&first, &address)?;
    (0..count).try_for_each(|_| is_refused(bind(&second, &address)))?;
    Ok(count)
}

/// Successful binds to ports that the kernel chooses.
fn success(_: &Held, count: u32) -> anyhow::Result<u32> {
    for _ in 0..count {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let _client = TcpStream::connect(server.local_addr()?)?;
    }
    Ok(0)
}

/// A process takes a port, a second one is refused meanwhile, and a third one takes the port afterwards.
pub(super) fn come_and_go(held: &Held, count: u32) -> anyhow::Result<()> {
    let Some(holder) = fork()? else {
        let done = come(held, count);
        if let Err(error) = &done {
            println!("come-and-go: {error:#}");
        }
        leave(i32::from(done.is_err()));
    };
    await_end(holder, "come-and-go")
}

fn come(held: &Held, count: u32) -> anyhow::Result<()> {
    let socket = open(AddressFamily::INET, TCP_TYPE)?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let port = SocketAddr::try_from(getsockname(&socket)?)?.port();
    process(&Kind { name: "come-and-go", work: tcp }, &Held { tcp: port, udp: held.udp }, count)?;
    drop(socket);
    bind(open(AddressFamily::INET, TCP_TYPE)?, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    Ok(())
}
