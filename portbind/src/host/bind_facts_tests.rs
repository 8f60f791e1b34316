use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::event::{Family, Options, Protocol};

/// The network namespace of the caller; this process is in another one.
const THEIRS: u32 = 4_026_532_000;
const OURS: u32 = 4_026_531_840;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join("proc").join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn namespace(root: &Path, who: &str, name: &str, number: u32) {
    let folder = root.join(format!("proc/{who}/ns"));
    fs::create_dir_all(&folder).unwrap();
    symlink(format!("{name}:[{number}]"), folder.join(name)).unwrap();
}

/// A process 5 in a network namespace of its own, started one second after boot.
fn setup() -> (TempDir, Host) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    write(path, "5/stat", "5 (x) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 100 0 0");
    namespace(path, "5", "net", THEIRS);
    namespace(path, "self", "net", OURS);
    for who in ["5", "self"] {
        namespace(path, who, "user", 0xEFFF_FFFD);
    }
    let host = Host::at(path);
    (root, host)
}

fn socket(address: &str, netns: u32) -> Socket {
    let address: IpAddr = address.parse().unwrap();
    Socket {
        family: if address.is_ipv6() { Family::Inet6 } else { Family::Inet },
        protocol: Protocol::Udp,
        address,
        port: 80,
        netns,
        netns_name: None,
        name: None,
        interface: None,
        options: Options::default(),
        uid: 0,
    }
}

fn facts(host: &Host, error: &str, socket: &Socket) -> Facts {
    let error = Errno::from_name(error).unwrap();
    host.bind_facts(&FailedCall {
        error,
        pid: 5,
        start_boot_ns: 1_000_000_000,
        uid: 1000,
        socket,
        state: State::Bound,
        has_port: false,
        parents: &[(4, 500_000_000)],
    })
}

#[test]
fn addresses_are_those_of_the_sockets_namespace() {
    let (root, host) = setup();
    write(root.path(), "5/net/fib_trie", "Local:\n |-- 192.0.2.1\n /32 host LOCAL\n");
    write(root.path(), "self/net/fib_trie", "Local:\n |-- 192.0.2.2\n /32 host LOCAL\n");
    write(root.path(), "5/net/if_inet6", "20010db8000000000000000000000001 02 40 00 40 eth0\n");
    let presence = |address: &str, netns| facts(&host, "EADDRNOTAVAIL", &socket(address, netns)).presence;
    assert_eq!(presence("192.0.2.1", THEIRS), Some(Presence::Present));
    assert_eq!(presence("::ffff:192.0.2.1", THEIRS), Some(Presence::Present));
    assert_eq!(presence("192.0.2.2", THEIRS), Some(Presence::Absent));
    assert_eq!(presence("192.0.2.2", OURS), Some(Presence::Present));
    assert_eq!(presence("2001:db8::1", THEIRS), Some(Presence::Tentative));
    // A namespace that neither process is in, and a missing file.
    assert_eq!(presence("192.0.2.1", 7), None);
    assert_eq!(presence("2001:db8::1", OURS), None);
}

#[test]
fn a_table_that_is_too_long_shows_nothing() {
    let (root, host) = setup();
    let limit = usize::try_from(MAX_BYTES).unwrap();
    write(root.path(), "5/net/fib_trie", &" ".repeat(limit));
    assert_eq!(facts(&host, "EADDRNOTAVAIL", &socket("192.0.2.1", THEIRS)).presence, None);
}

#[test]
fn capabilities_count_for_the_same_process_only() {
    let may = |status: &str, change: fn(&Path)| {
        let (root, host) = setup();
        write(root.path(), "5/status", status);
        change(root.path());
        facts(&host, "EACCES", &socket("127.0.0.1", OURS)).may_bind_privileged
    };
    let nothing = |_: &Path| {};
    let recycled = |root: &Path| write(root, "5/stat", "5 (x) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 900 0 0");
    let elsewhere = |root: &Path| {
        fs::remove_file(root.join("proc/5/ns/user")).unwrap();
        namespace(root, "5", "user", 7);
    };
    assert_eq!(may("Name:\tx\nCapEff:\t0000000000000400\n", nothing), Some(true));
    assert_eq!(may("CapEff:\t000001fffffffbff\n", nothing), Some(false));
    assert_eq!(may("CapEff:\t0000000000000400\n", elsewhere), None);
    assert_eq!(may("CapEff:\t0000000000000000\n", elsewhere), Some(false));
    assert_eq!(may("CapEff:\t0000000000000400\n", recycled), None);
    assert_eq!(may("CapEff:\tx\n", nothing), None);
}

#[test]
fn privileged_ports_are_those_of_the_sockets_namespace() {
    let (root, host) = setup();
    write(root.path(), UNPRIVILEGED_FROM, "80\n");
    let from = |netns| facts(&host, "EACCES", &socket("127.0.0.1", netns)).unprivileged_from;
    assert_eq!(from(OURS), Some(80));
    // The file would show this process's namespace, and the caller's namespace cannot be entered here.
    assert_eq!(from(THEIRS), None);
}

#[test]
fn nothing_is_gathered_for_other_errors() {
    let (root, host) = setup();
    write(root.path(), UNPRIVILEGED_FROM, "80\n");
    for error in ["EPERM", "ENODEV", "EADDRINUSE"] {
        assert_eq!(facts(&host, error, &socket("127.0.0.1", OURS)), Facts::unknown(State::Bound));
    }
}

#[test]
fn who_lives_above_a_caller_that_has_ended_has_its_capabilities() {
    let (root, host) = setup();
    let path = root.path();
    fs::remove_dir_all(path.join("proc/5")).unwrap();
    write(path, "sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
    write(path, "4/stat", "4 (sh) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 50 0 0");
    namespace(path, "4", "user", 0xEFFF_FFFD);
    let ask = || facts(&host, "EACCES", &socket("0.0.0.0", OURS)).may_bind_privileged;
    for (uid, capabilities, expected) in
        [(1000, "0", Some(false)), (1000, "400", Some(true)), (0, "400", None)]
    {
        write(path, "4/status", &format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nCapEff:\t{capabilities}\n"));
        assert_eq!(ask(), expected, "{uid} {capabilities}");
    }
}

#[test]
fn another_process_shows_the_namespace_of_a_caller_that_has_ended() {
    let (root, host) = setup();
    let path = root.path();
    fs::remove_dir_all(path.join("proc/5")).unwrap();
    let asked = socket("192.0.2.7", THEIRS);
    assert_eq!(facts(&host, "EADDRNOTAVAIL", &asked).presence, None);
    write(path, "7/net/fib_trie", "Local:\n     |-- 192.0.2.7\n        /32 host LOCAL\n");
    namespace(path, "7", "net", THEIRS);
    // The links of `/proc` lead to files that can be opened.
    write(path, &format!("7/ns/net:[{THEIRS}]"), "");
    assert_eq!(facts(&host, "EADDRNOTAVAIL", &asked).presence, Some(Presence::Present));
}
