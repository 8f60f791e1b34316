//! An MPTCP endpoint with a port, on which the kernel itself listens.
//!
//! The constants are from generic netlink (include/uapi/linux/genetlink.h) and the MPTCP path manager
//! (include/uapi/linux/mptcp.h and mptcp_pm.h, v6.18; ports since v5.12).

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::net::netlink::{GENERIC, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// `GENL_ID_CTRL`, and its command and attributes.
const CONTROL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// `MPTCP_PM_CMD_ADD_ADDR`, and its attributes.
const ADD_ADDRESS: u8 = 1;
const ATTR_ADDRESS: u16 = 1;
const ADDRESS_FAMILY: u16 = 1;
const ADDRESS_V4: u16 = 3;
const ADDRESS_PORT: u16 = 5;
const ADDRESS_FLAGS: u16 = 6;
/// `MPTCP_PM_ADDR_FLAG_SIGNAL`: only such an endpoint may have a port.
const SIGNAL: u32 = 1;
/// `NLA_F_NESTED`.
const NESTED: u16 = 1 << 15;
/// `NLM_F_REQUEST | NLM_F_ACK`.
const REQUEST: u16 = 5;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;
/// Lengths of `nlmsghdr` and of the generic netlink header after it.
const HEADER: usize = 16;
const GENERIC_HEADER: usize = 4;

/// Makes the kernel listen until the network namespace ends.
pub(super) fn listen(address: Ipv4Addr, port: u16) -> io::Result<()> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(GENERIC),
    )?;
    let name = attribute(CTRL_ATTR_FAMILY_NAME, b"mptcp_pm\0");
    let answer = ask(&socket, CONTROL, CTRL_CMD_GETFAMILY, &name)?;
    let family = find(answer.get(HEADER + GENERIC_HEADER..).unwrap_or_default(), CTRL_ATTR_FAMILY_ID)
        .ok_or(io::ErrorKind::Unsupported)?;
    let endpoint = [
        attribute(ADDRESS_FAMILY, &AddressFamily::INET.as_raw().to_ne_bytes()),
        attribute(ADDRESS_V4, &address.octets()),
        attribute(ADDRESS_PORT, &port.to_ne_bytes()),
        attribute(ADDRESS_FLAGS, &SIGNAL.to_ne_bytes()),
    ]
    .concat();
    ask(&socket, family, ADD_ADDRESS, &attribute(ATTR_ADDRESS | NESTED, &endpoint))?;
    Ok(())
}

/// Sends a command of a family and receives the first answer.
fn ask(socket: &OwnedFd, family: u16, command: u8, payload: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(HEADER + GENERIC_HEADER + payload.len()).map_err(io::Error::other)?;
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(family.to_ne_bytes());
    message.extend(REQUEST.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([command, 1, 0, 0]);
    message.extend(payload);
    rustix::net::sendto(socket.as_fd(), &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = vec![0; 8192];
    let (length, _) = rustix::net::recv(socket.as_fd(), answer.as_mut_slice(), RecvFlags::empty())?;
    answer.truncate(length);
    match (number(&answer, 4), answer.get(HEADER..HEADER + 4)) {
        (Some(ERROR), Some(&[a, b, c, d])) => match i32::from_ne_bytes([a, b, c, d]) {
            0 => Ok(answer),
            errno => Err(io::Error::from_raw_os_error(-errno)),
        },
        _ => Ok(answer),
    }
}

/// One attribute, padded to four bytes.
fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 4).unwrap_or(u16::MAX);
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The number in the first attribute of a kind.
fn find(mut attributes: &[u8], kind: u16) -> Option<u16> {
    loop {
        if number(attributes, 2)? == kind {
            return number(attributes, 4);
        }
        let length = usize::from(number(attributes, 0)?).next_multiple_of(4).max(4);
        attributes = attributes.get(length..)?;
    }
}

/// Two bytes as a number of this machine.
fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at + 2)?;
    Some(u16::from_ne_bytes(pair.try_into().ok()?))
}
