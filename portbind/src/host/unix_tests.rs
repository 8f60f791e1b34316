use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};

use super::*;

/// A process 7 whose root and current folder is `folder`.
fn process(folder: &Path) -> (tempfile::TempDir, Procfs) {
    let proc = tempfile::tempdir().unwrap();
    fs::create_dir_all(proc.path().join("7/ns")).unwrap();
    symlink(folder, proc.path().join("7/root")).unwrap();
    symlink(folder, proc.path().join("7/cwd")).unwrap();
    symlink("mnt:[1]", proc.path().join("7/ns/mnt")).unwrap();
    let procfs = Procfs::at(proc.path());
    (proc, procfs)
}

fn bound(kind: SocketType, path: &Path, listens: bool) -> OwnedFd {
    let socket = socket(AddressFamily::UNIX, kind, None).unwrap();
    bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    if listens {
        listen(&socket, 1).unwrap();
    }
    socket
}

#[test]
fn sees_all_that_is_at_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    drop(UnixListener::bind(at("stale")).unwrap());
    let _live: Vec<OwnedFd> = [
        (SocketType::STREAM, "stream", false),
        (SocketType::STREAM, "stream-listens", true),
        (SocketType::DGRAM, "dgram", false),
        (SocketType::SEQPACKET, "seqpacket", false),
        (SocketType::SEQPACKET, "seqpacket-listens", true),
    ]
    .map(|(kind, name, listens)| bound(kind, &at(name), listens))
    .into();
    fs::write(at("file"), "").unwrap();
    fs::create_dir(at("folder")).unwrap();
    symlink("/nowhere", at("dangling")).unwrap();
    symlink("/file", at("link")).unwrap();
    symlink("/", at("up")).unwrap();
    let (_proc, procfs) = process(folder.path());
    let cases = [
        ("stale", Object::StaleSocket),
        ("stream", Object::LiveSocket),
        ("stream-listens", Object::LiveSocket),
        ("dgram", Object::LiveSocket),
        ("seqpacket", Object::LiveSocket),
        ("seqpacket-listens", Object::LiveSocket),
        ("file", Object::File),
        ("folder", Object::Directory),
        ("dangling", Object::DanglingLink),
        ("link", Object::Link),
        ("up/file", Object::File),
        ("none", Object::Gone),
        ("none/file", Object::Gone),
        ("file/file", Object::Unseen),
        ("../../../../../file", Object::File),
    ];
    for (name, object) in cases {
        let path = format!("/{name}");
        let sight = sight_at(&procfs, &Entrance::Own, 7, path.as_bytes());
        assert_eq!(sight.object, object, "{name}");
        assert!(!sight.is_ours);
        assert_eq!(sight_at(&procfs, &Entrance::Own, 8, path.as_bytes()), Sight::NONE);
    }
}

/// The check changes nothing: no connection waits, and a datagram socket stays unconnected.
#[test]
fn nobody_notices_the_visit() {
    let folder = tempfile::tempdir().unwrap();
    let (_proc, procfs) = process(folder.path());
    let stream = UnixListener::bind(folder.path().join("stream")).unwrap();
    let seqpacket = bound(SocketType::SEQPACKET, &folder.path().join("seqpacket"), true);
    let datagram = UnixDatagram::bind(folder.path().join("dgram")).unwrap();
    for name in ["/stream", "/seqpacket", "/dgram"] {
        assert_eq!(
            sight_at(&procfs, &Entrance::Own, 7, name.as_bytes()).object,
            Object::LiveSocket,
            "{name}"
        );
    }
    stream.set_nonblocking(true).unwrap();
    rustix::io::ioctl_fionbio(&seqpacket, true).unwrap();
    assert!(stream.accept().is_err());
    assert_eq!(rustix::net::accept(&seqpacket).err(), Some(Errno::AGAIN));
    let table = fs::read_to_string("/proc/self/net/unix").unwrap();
    let path = folder.path().join("dgram");
    let line = table.lines().find(|line| line.ends_with(path.to_str().unwrap())).unwrap();
    // SS_UNCONNECTED
    assert_eq!(line.split_ascii_whitespace().nth(5), Some("01"), "{line}");
    drop(datagram);
}

#[test]
fn a_relative_path_is_examined_in_the_folder_of_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    symlink("/", folder.path().join("away")).unwrap();
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    let (_proc, procfs) = process(folder.path());
    let seen = |path: &str| sight_at(&procfs, &Entrance::Own, 7, path.as_bytes()).object;
    assert_eq!(seen("file"), Object::File);
    assert_eq!(seen("./file"), Object::File);
    assert_eq!(seen("dangling"), Object::Link);
    // The link would lead out of the root of the caller.
    assert_eq!(seen("away/etc"), Object::Unseen);
    assert_eq!(seen("../file"), Object::Unseen);
}

#[test]
fn knows_its_own_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file");
    let sight =
        sight_at(&Procfs::new(), &Entrance::Own, std::process::id(), path.as_os_str().as_encoded_bytes());
    assert_eq!((sight.object, sight.is_ours), (Object::File, true));
    assert_eq!(sight.absolute.as_deref(), Some(path.as_os_str().as_encoded_bytes()));
    let here = sight_at(&Procfs::new(), &Entrance::Own, std::process::id(), b"Cargo.toml");
    let expected = std::env::current_dir().unwrap().join("Cargo.toml");
    assert_eq!(here.absolute.as_deref(), Some(expected.as_os_str().as_encoded_bytes()));
    assert_eq!(here.object, Object::File);
}

#[test]
fn who_sees_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (_proc, procfs) = process(folder.path());
    let stat = rustix::fs::stat(folder.path()).unwrap();
    let device = device_number(stat.st_dev);
    let (inode, other) = (stat.st_ino, stat.st_ino + 1);
    let view = FileView {
        folder: inode,
        root: inode,
        folder_device: device,
        root_device: device,
        mounts: 1,
        reserved: 0,
    };
    // The view, and whether the process sees a relative and an absolute path as that view does.
    let cases = [
        (view, true, true),
        (FileView { folder: other, ..view }, false, true),
        (FileView { folder_device: device + 1, ..view }, false, true),
        (FileView { root: other, ..view }, false, false),
        (FileView { root_device: device + 1, ..view }, false, false),
        (FileView { mounts: 2, ..view }, false, false),
    ];
    for (view, relative, absolute) in cases {
        assert_eq!(sees(&procfs, 7, &view, b"x", Likeness::Same), relative, "{view:?}");
        assert_eq!(sees(&procfs, 7, &view, b"/x", Likeness::Same), absolute, "{view:?}");
    }
    let elsewhere = FileView { folder_device: device + 1, root_device: device + 1, ..view };
    for (view, is_seen) in [(elsewhere, true), (FileView { folder: other, ..elsewhere }, false)] {
        assert_eq!(sees(&procfs, 7, &view, b"x", Likeness::SameNumbers), is_seen, "{view:?}");
    }
    assert!(!sees(&procfs, 8, &view, b"/x", Likeness::Same), "there is no such process");
}
