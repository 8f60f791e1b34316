use std::fs;

use tempfile::TempDir;

use super::*;

fn root(files: &[(&str, &str)]) -> (TempDir, Files) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let files = Files::at(root.path());
    (root, files)
}

fn systemd(pid: u32, args: &[&str]) -> Process {
    let args = args.iter().map(|&arg| arg.to_owned()).collect();
    Process { pid, comm: "systemd".to_owned(), args, ..Process::default() }
}

fn unit_of(files: &[(&str, &str)], kind: Kind, address: &str) -> Option<String> {
    let (_root, files) = root(files);
    let bound = ListenAddress::parse(address).unwrap();
    SocketUnits::new(&files).held_by(&systemd(1, &["/sbin/init"]), kind, &bound)
}

const SSH: (&str, &str) =
    ("usr/lib/systemd/system/ssh.socket", "[Unit]\nListenStream=1\n[Socket]\nListenStream=22\nAccept=no\n");

#[test]
fn matches_kind_and_address() {
    let files = [
        SSH,
        (
            "etc/systemd/system/dns.socket",
            "[Socket]\nListenDatagram = 127.0.0.53:53\nListenStream=\\\n/run/dns\n",
        ),
        ("etc/systemd/system/bus.socket", "[Socket]\nListenSequentialPacket=%t/bus\n"),
        ("etc/systemd/system/ssh.service", "[Socket]\nListenStream=23\n"),
    ];
    let cases = [
        (Kind::Stream, "[::]:22", Some("ssh.socket")),
        (Kind::Stream, "0.0.0.0:22", Some("ssh.socket")),
        (Kind::Datagram, "[::]:22", None),
        (Kind::Stream, "[::]:1", None),
        (Kind::Stream, "[::]:23", None),
        (Kind::Datagram, "127.0.0.53:53", Some("dns.socket")),
        (Kind::Stream, "/run/dns", Some("dns.socket")),
        (Kind::SequentialPacket, "/run/bus", Some("bus.socket")),
    ];
    for (kind, address, unit) in cases {
        assert_eq!(unit_of(&files, kind, address).as_deref(), unit, "{kind:?} {address}");
    }
}

#[test]
fn drop_ins_change_a_unit() {
    let reset = ("run/systemd/system/ssh.socket.d/10.conf", "[Socket]\nListenStream=\nListenStream=2222\n");
    let more = ("etc/systemd/system/ssh.socket.d/20.conf", "[Socket]\nListenStream=2223\n");
    let masked = ("etc/systemd/system/ssh.socket.d/10.conf", "");
    let other = ("etc/systemd/system/ssh.socket.d/notes.txt", "[Socket]\nListenStream=9\n");
    let ssh = Some("ssh.socket".to_owned());
    let listens = |files: &[(&str, &str)]| {
        ["[::]:22", "[::]:2222", "[::]:2223", "[::]:9"].map(|at| unit_of(files, Kind::Stream, at) == ssh)
    };
    assert_eq!(listens(&[SSH, reset, more, other]), [false, true, true, false]);
    assert_eq!(listens(&[SSH, reset, more, masked]), [true, false, true, false]);
    // A file in a folder with higher precedence replaces the whole unit.
    let instead = ("etc/systemd/system/ssh.socket", "[Socket]\nListenStream=2222\n");
    assert_eq!(listens(&[SSH, instead]), [false, true, false, false]);
}

#[test]
fn of_two_units_the_running_one_is_listed() {
    let other = ("etc/systemd/system/other.socket", "[Socket]\nListenStream=0.0.0.0:22\n");
    assert_eq!(unit_of(&[SSH, other], Kind::Stream, "0.0.0.0:22"), None);
    let running = ("run/systemd/units/invocation:ssh.socket", "");
    assert_eq!(unit_of(&[SSH, other, running], Kind::Stream, "0.0.0.0:22").as_deref(), Some("ssh.socket"));
}

#[test]
fn only_systemd_holds_sockets_for_units() {
    let (_root, files) = root(&[SSH, ("usr/lib/systemd/user/mine.socket", "[Socket]\nListenStream=22\n")]);
    let bound = ListenAddress::parse("[::]:22").unwrap();
    let unit = |process: &Process| SocketUnits::new(&files).held_by(process, Kind::Stream, &bound);
    assert_eq!(unit(&systemd(1, &[])).as_deref(), Some("ssh.socket"));
    assert_eq!(unit(&systemd(700, &["/usr/lib/systemd/systemd", "--user"])).as_deref(), Some("mine.socket"));
    assert_eq!(unit(&systemd(700, &["/usr/lib/systemd/systemd"])), None);
    assert_eq!(unit(&Process { comm: "init".to_owned(), ..systemd(1, &[]) }), None);
}
