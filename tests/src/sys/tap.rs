//! An Ethernet interface of a process (tun(4)), for tests that the loopback interface does not support.

use std::fs::File;
use std::io;
use std::net::Ipv6Addr;
use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// `TUNSETIFF` of include/uapi/linux/if_tun.h.
const TUNSETIFF: libc::Ioctl = 0x4004_54ca;

/// `struct in6_ifreq` of include/uapi/linux/ipv6.h.
#[repr(C)]
struct Address {
    address: [u8; 16],
    prefix: u32,
    interface: libc::c_int,
}

/// An interface that is removed when dropped.
#[derive(Debug)]
pub struct Tap {
    _file: File,
    name: [libc::c_char; libc::IFNAMSIZ],
}

impl Tap {
    /// Creates the interface in the current network namespace.
    ///
    /// # Errors
    ///
    /// The error of the kernel.
    pub fn new(name: &str) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open("/dev/net/tun")?;
        let mut buffer = [0; libc::IFNAMSIZ];
        for (to, from) in buffer.iter_mut().zip(name.bytes().take(libc::IFNAMSIZ - 1)) {
            *to = libc::c_char::try_from(from).map_err(io::Error::other)?;
        }
        let flags = libc::c_short::try_from(libc::IFF_TAP | libc::IFF_NO_PI).map_err(io::Error::other)?;
        let mut request =
            libc::ifreq { ifr_name: buffer, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags } };
        // SAFETY: TUNSETIFF reads and writes one `ifreq`, and the pointer is to a live one.
        let result = unsafe { libc::ioctl(file.as_raw_fd(), TUNSETIFF, &raw mut request) };
        if result == 0 { Ok(Self { _file: file, name: buffer }) } else { Err(io::Error::last_os_error()) }
    }

    /// Brings the interface up and assigns an address.
    ///
    /// # Errors
    ///
    /// The error of the kernel.
    pub fn up(&self, address: Ipv6Addr) -> io::Result<()> {
        let socket =
            rustix::net::socket_with(AddressFamily::INET6, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        let flags = libc::c_short::try_from(libc::IFF_UP).map_err(io::Error::other)?;
        let mut request =
            libc::ifreq { ifr_name: self.name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags } };
        control(&socket, libc::SIOCSIFFLAGS, &mut request)?;
        control(&socket, libc::SIOCGIFINDEX, &mut request)?;
        // SAFETY: SIOCGIFINDEX has just written this member of the union.
        let interface = unsafe { request.ifr_ifru.ifru_ifindex };
        let given = Address { address: address.octets(), prefix: 64, interface };
        // SAFETY: SIOCSIFADDR of an IPv6 socket reads one `in6_ifreq`, and the pointer is to a live one.
        let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFADDR, &raw const given) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// Makes an ioctl that takes an `ifreq`.
fn control(socket: &OwnedFd, request: libc::Ioctl, argument: &mut libc::ifreq) -> io::Result<()> {
    // SAFETY: the two requests made here read and write one `ifreq`, exclusively borrowed.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), request, &raw mut *argument) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
