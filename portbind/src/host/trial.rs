//! Binds and listens for real, to find out whether the kernel permits it.
//!
//! The port is held for microseconds. Meanwhile the kernel may refuse the port to another program, and a socket that
//! shares the port may receive data meant for another socket: so a socket that shares its port does not listen.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{bind as bind_socket, sockopt};
use socket2::SockRef;

use super::broker::SocketKind;
use crate::event::{self, Family, Operation, Protocol, Socket};

/// A call that the kernel refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The refused call.
    pub operation: Operation,
    /// Error of the call.
    pub error: event::Errno,
}

/// Binds like `asked`, in the network namespace of this thread.
///
/// # Errors
/// The kernel's error, for an option, too, or for a protocol that the kernel or this program does not know.
pub fn bind(asked: &Socket) -> Result<OwnedFd, Refused> {
    let refused = |error: Errno| Refused { operation: Operation::Bind, error: number(error) };
    let socket = SocketKind::Port(asked.family, asked.protocol).open().map_err(refused)?;
    set_options(&socket, asked).map_err(refused)?;
    bind_socket(&socket, &SocketAddr::new(asked.address, asked.port)).map_err(refused)?;
    Ok(socket)
}

/// Binds like `asked`, and listens if the socket can listen and does not share its port.
///
/// # Errors
/// The errors of [`bind`], and the errors of listen(2).
pub fn serve(asked: &Socket) -> Result<(), Refused> {
    let socket = bind(asked)?;
    let listens = matches!(asked.protocol, Protocol::Tcp | Protocol::Mptcp | Protocol::Sctp);
    if !listens || asked.options.reuse_port {
        return Ok(());
    }
    let refused = |error| Refused { operation: Operation::Listen, error: number(error) };
    rustix::net::listen(&socket, 0).map_err(refused)
}

/// Sets the options of `asked`.
pub(super) fn set_options(socket: &OwnedFd, asked: &Socket) -> Result<(), Errno> {
    if asked.options.reuse_address {
        sockopt::set_socket_reuseaddr(socket, true)?;
    }
    if asked.options.reuse_port {
        sockopt::set_socket_reuseport(socket, true)?;
    }
    // Set whatever the value of net.ipv6.bindv6only.
    if asked.family == Family::Inet6 {
        sockopt::set_ipv6_v6only(socket, asked.options.v6_only)?;
    }
    let name = asked.interface.as_ref().and_then(|interface| interface.name.as_deref());
    if let Some(name) = name {
        let bound = SockRef::from(socket).bind_device(Some(name.as_bytes()));
        bound.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NODEV))?;
    }
    Ok(())
}

fn number(error: Errno) -> event::Errno {
    event::Errno(error.raw_os_error().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, TcpListener};

    use super::*;
    use crate::event::Options;

    fn asked(port: u16, options: Options) -> Socket {
        Socket {
            family: Family::Inet,
            protocol: Protocol::Tcp,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port,
            netns: 0,
            netns_name: None,
            name: None,
            interface: None,
            options,
            uid: 0,
        }
    }

    #[test]
    fn a_listener_is_in_the_way() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let plain = asked(port, Options::default());
        let error = event::Errno::EADDRINUSE;
        assert_eq!(serve(&plain), Err(Refused { operation: Operation::Bind, error }));
        drop(listener);
        assert_eq!(serve(&plain), Ok(()));
    }

    #[test]
    fn the_second_listener_is_refused_by_listen() {
        let options = Options { reuse_address: true, ..Options::default() };
        let held = bind(&asked(0, options)).unwrap();
        let address = SocketAddr::try_from(rustix::net::getsockname(&held).unwrap()).unwrap();
        assert_eq!(serve(&asked(address.port(), options)), Ok(()));
        let other = bind(&asked(address.port(), options)).unwrap();
        rustix::net::listen(&held, 1).unwrap();
        assert!(rustix::net::listen(&other, 1).is_err());
    }

    #[test]
    fn unknown_words_are_refused() {
        let strange = Socket { protocol: Protocol::Ping, ..asked(1, Options::default()) };
        assert_eq!(bind(&strange).unwrap_err().error, event::Errno(93));
    }
}
