//! Why a bind in a family other than AF_INET, AF_INET6 and AF_UNIX was refused, as far as known.

use crate::event::{Cause, Code, Family, Holder, Name, Process, Socket};

/// The cause of an EADDRINUSE.
#[must_use]
pub fn decide(socket: &Socket, process: &Process, holders: &[Holder]) -> Cause {
    Cause { code: Code::AddressInUseElsewhere, summary: summary(socket, process, holders) }
}

fn summary(socket: &Socket, process: &Process, holders: &[Holder]) -> String {
    let is_own = |holder: &Holder| holder.processes.iter().any(|owner| owner.process.pid == process.pid);
    match (&socket.name, holders.first()) {
        // netlink_insert (net/netlink/af_netlink.c, 5.10 to 7.3): one socket per port id, namespace and protocol.
        (Some(Name::Netlink { port_id, .. }), Some(holder)) if is_own(holder) => {
            format!("the failing process has netlink port id {port_id} of this protocol itself")
        }
        (Some(Name::Netlink { port_id, .. }), _) => {
            format!("another socket of this protocol has netlink port id {port_id}; 0 lets the kernel choose")
        }
        // __vsock_bind_connectible (net/vmw_vsock/af_vsock.c): one socket per port and context id.
        (Some(Name::Vsock { port, .. }), _) => format!("another vsock socket has port {port}"),
        _ => match socket.family {
            Family::Other(number) => {
                format!("the address is in use in address family {number}, whose sockets were not searched")
            }
            _ => "the address is in use, and the kernel's table of these sockets was not searched".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Options, Protocol};

    #[test]
    fn says_all_that_is_known() {
        let cases = [
            (Family::Netlink, Name::Netlink { port_id: 7, groups: 0 }, "has netlink port id 7"),
            (Family::Vsock, Name::Vsock { cid: u32::MAX, port: 80 }, "has port 80"),
            (Family::Other(30), Name::Raw(vec![]), "address family 30"),
            (Family::Netlink, Name::Raw(vec![]), "was not searched"),
        ];
        for (family, name, words) in cases {
            let socket = Socket {
                family,
                protocol: Protocol::Other(0),
                address: std::net::Ipv4Addr::UNSPECIFIED.into(),
                port: 0,
                name: Some(name),
                netns: 1,
                netns_name: None,
                interface: None,
                options: Options::default(),
                uid: 0,
            };
            let cause = decide(&socket, &Process::default(), &[]);
            assert_eq!(cause.code, Code::AddressInUseElsewhere);
            assert!(cause.summary.contains(words), "{}", cause.summary);
        }
    }
}
