//! Socket options by number, network namespaces and the loopback interface.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// `setsockopt(fd, level, option, value)`.
///
/// # Errors
///
/// The error of the kernel.
pub fn set_option(fd: BorrowedFd<'_>, level: i32, option: i32, value: &[u8]) -> io::Result<()> {
    let length = libc::socklen_t::try_from(value.len()).map_err(io::Error::other)?;
    // SAFETY: the kernel reads `length` bytes at the pointer, all of them in `value`.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, value.as_ptr().cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Brings up the loopback interface of the current network namespace.
///
/// # Errors
///
/// The error of the kernel.
pub fn loopback_up() -> io::Result<()> {
    let socket =
        rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let mut name = [0; libc::IFNAMSIZ];
    for (to, from) in name.iter_mut().zip(b"lo") {
        *to = libc::c_char::try_from(*from).map_err(io::Error::other)?;
    }
    let flags = libc::c_short::try_from(libc::IFF_UP | libc::IFF_RUNNING).map_err(io::Error::other)?;
    let mut request =
        libc::ifreq { ifr_name: name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags } };
    // SAFETY: SIOCSIFFLAGS reads one `ifreq`, and the pointer is to a live one.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// bind(2) with an address that is shorter than the family requires.
///
/// # Errors
///
/// The error of the kernel.
pub fn bind_short(fd: BorrowedFd<'_>, address: SocketAddr) -> io::Result<()> {
    let bytes = sockaddr(address);
    // SAFETY: the kernel reads 8 bytes at the pointer, all of them in `bytes`.
    let result = unsafe { libc::bind(fd.as_raw_fd(), bytes.as_ptr().cast(), 8) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// bind(2) with an address in the first page, which is never mapped.
///
/// # Errors
///
/// The error of the kernel.
pub fn bind_bad_pointer(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the kernel checks the pointer and refuses it; no memory of this process is touched.
    let result = unsafe { libc::bind(fd.as_raw_fd(), std::ptr::without_provenance(16), 16) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Moves the calling thread into a new network namespace with its loopback up.
///
/// # Errors
///
/// The error of the kernel.
pub fn new_namespace() -> io::Result<()> {
    // SAFETY: CLONE_NEWNET changes no memory and no descriptor of this process.
    let result = unsafe { libc::unshare(libc::CLONE_NEWNET) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    loopback_up()
}

/// Makes the calling thread create sockets for `uid` (`setfsuid(2)`); requires CAP_SETUID.
///
/// # Errors
///
/// If the kernel does not allow it.
pub fn own_sockets_as(uid: u32) -> io::Result<()> {
    // SAFETY: setfsuid changes the credentials of this thread and no memory.
    unsafe { libc::setfsuid(uid) };
    // The call reports no errors, but returns the previous id; an id that cannot be set returns the current one.
    // SAFETY: as above; this id is never valid, so nothing changes.
    let current = unsafe { libc::setfsuid(u32::MAX) };
    if i64::from(current) == i64::from(uid) { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Attaches a program to a socket with SO_REUSEPORT that selects the first socket of its group
/// (SO_ATTACH_REUSEPORT_CBPF).
///
/// # Errors
///
/// The error of the kernel.
pub fn attach_group_program(fd: BorrowedFd<'_>) -> io::Result<()> {
    let return_zero = libc::sock_filter {
        code: u16::try_from(libc::BPF_RET).map_err(io::Error::other)?,
        jt: 0,
        jf: 0,
        k: 0,
    };
    let mut filter = [return_zero];
    let program = libc::sock_fprog { len: 1, filter: filter.as_mut_ptr() };
    let length = libc::socklen_t::try_from(size_of_val(&program)).map_err(io::Error::other)?;
    // SAFETY: the kernel reads one `sock_fprog` and the one instruction that it points to; both live.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_REUSEPORT_CBPF,
            (&raw const program).cast(),
            length,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `bind(fd, address)` with a sockaddr of any family.
///
/// # Errors
///
/// The error of the kernel.
pub fn bind(fd: BorrowedFd<'_>, address: &[u8]) -> io::Result<()> {
    let length = libc::socklen_t::try_from(address.len()).map_err(io::Error::other)?;
    // SAFETY: the kernel reads `length` bytes at the pointer, all of them in `address`.
    let result = unsafe { libc::bind(fd.as_raw_fd(), address.as_ptr().cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A `sockaddr_in` or `sockaddr_in6` (include/uapi/linux/in.h, in6.h).
#[must_use]
pub fn sockaddr(address: SocketAddr) -> Vec<u8> {
    let mut bytes = vec![0; 28];
    bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
    match address {
        SocketAddr::V4(v4) => {
            bytes[0] = 2;
            bytes[4..8].copy_from_slice(&v4.ip().octets());
            bytes.truncate(16);
        }
        SocketAddr::V6(v6) => {
            bytes[0] = 10;
            bytes[8..24].copy_from_slice(&v6.ip().octets());
        }
    }
    bytes
}
