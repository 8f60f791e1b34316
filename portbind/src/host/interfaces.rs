//! Names of network interfaces.

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::net::netdevice::index_to_name;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::broker::SocketKind;
use super::entrance::Entrance;
use super::procfs::Procfs;
use super::unix::namespace;

/// Names of the interfaces in the network namespace of this process.
///
/// The names come from the kernel (dev_ifname in net/core/dev_ioctl.c) and not from `/sys/class/net`, which shows the
/// network namespace of the process that mounted it.
#[derive(Debug)]
pub struct Interfaces {
    netns: Option<u32>,
    socket: Option<OwnedFd>,
}

impl Interfaces {
    /// Records the namespace of this process.
    #[must_use]
    pub fn new(procfs: &Procfs) -> Self {
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok();
        Self { netns: procfs.own_network_namespace(), socket }
    }

    /// The current name of an interface of a network namespace; `None` if no process is in the namespace, or if the
    /// namespace cannot be entered.
    #[must_use]
    pub fn name(&self, procfs: &Procfs, entrance: &Entrance, netns: u32, index: u32) -> Option<String> {
        if index == 0 {
            return None;
        }
        if self.netns == Some(netns) {
            return index_to_name(self.socket.as_ref()?, index).ok();
        }
        let (_, namespace) = namespace(procfs, netns, std::process::id())?;
        index_to_name(entrance.socket(Some(namespace.as_fd()), SocketKind::Interfaces).ok()?, index).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_interfaces_of_this_namespace_only() {
        let procfs = Procfs::new();
        let interfaces = Interfaces::new(&procfs);
        let netns = procfs.own_network_namespace().unwrap();
        // The loopback interface has index 1 in each namespace (loopback_net_init).
        assert_eq!(interfaces.name(&procfs, &Entrance::Own, netns, 1).as_deref(), Some("lo"));
        assert_eq!(interfaces.name(&procfs, &Entrance::Own, netns, 0), None);
        assert_eq!(interfaces.name(&procfs, &Entrance::Own, netns, u32::MAX), None);
        assert_eq!(interfaces.name(&procfs, &Entrance::Own, netns ^ 1, 1), None);
    }
}
