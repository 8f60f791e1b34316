//! Files that container runtimes, systemd and the administrator keep.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use portbind::diagnosis::manager::Manager;
use portbind::event::Process;
use portbind::host::socket_units::Kind;
use portbind::host::{Accounts, Host, ListenAddress, Users};

use crate::tree::{Tree, with_tree};

/// Those of one container of each runtime, of one unit, and of accounts.
const FILES: &[&str] = &[
    "proc/1/stat",
    "proc/1/comm",
    "proc/1/cgroup",
    "var/lib/docker/containers/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/config.v2.json",
    "run/containerd/io.containerd.runtime.v2.task/k8s.io/\
     0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/config.json",
    "run/containers/storage/overlay-containers/\
     0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/userdata/config.json",
    "var/lib/containers/storage/overlay-containers/containers.json",
    "run/containers/storage/overlay-containers/volatile-containers.json",
    "etc/systemd/system/web.socket",
    "run/systemd/system/web.socket",
    "etc/systemd/system/web.socket.d/10-port.conf",
    "usr/lib/systemd/system/other.socket",
    "usr/lib/systemd/user/own.socket",
    "etc/systemd/system/web.service",
    "etc/systemd/system/web.service.d/restart.conf",
    "@run/systemd/units/invocation:web.socket",
    "etc/passwd",
    "etc/group",
    "etc/subuid",
];

thread_local! {
    static TREE: Option<Tree> = Tree::new(FILES);
}

/// Describes the process in its container, the unit it belongs to, and the accounts.
pub(crate) fn run(data: &[u8]) {
    with_tree(&TREE, data, |tree| read_all(tree.root()));
}

fn read_all(root: &Path) {
    let host = Host::at(root);
    let process = host.describe(1).unwrap_or_default();
    let _manager = Manager::of(&process, None);
    for (pid, args) in [(1, Vec::new()), (9, vec!["--user".to_owned()])] {
        let mut systemd = Process::default();
        (systemd.pid, systemd.comm, systemd.args) = (pid, "systemd".to_owned(), args);
        for (kind, bound) in listening() {
            let _unit = host.socket_units().held_by(&systemd, kind, &bound);
        }
    }
    accounts(root);
}

fn listening() -> [(Kind, ListenAddress); 3] {
    let ip = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    [
        (Kind::Stream, ListenAddress::Internet(None, 8080)),
        (Kind::Datagram, ListenAddress::Internet(Some(ip), 53)),
        (Kind::SequentialPacket, ListenAddress::Path("/run/web.sock".to_owned())),
    ]
}

fn accounts(root: &Path) {
    let accounts = Accounts::at(root);
    let named = accounts.find("ci");
    let groups = accounts.groups_with(named.as_ref(), 1000);
    assert!(groups.contains(&1000), "the group that was named is missing in {groups:?}");
    let users = Users::at(root.join("etc/passwd"));
    for uid in [0, 1000, u32::MAX] {
        let _name = (users.name(uid), accounts.of(uid));
    }
    for (range, _) in accounts.subordinate_uids() {
        assert!(range.start <= range.end, "a range of user ids ends before it starts: {range:?}");
    }
}
