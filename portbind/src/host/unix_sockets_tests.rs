use std::fs;
use std::io::ErrorKind;
use std::os::fd::AsRawFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};

use proptest::prelude::*;

use super::super::sock_diag::{HEADER, NLMSG_DONE, NLMSG_ERROR, SOCK_DIAG_BY_FAMILY, read_messages};
use super::super::unix::namespace;
use super::*;

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(value.len() + 4).unwrap().to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn message(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(HEADER + body.len()).unwrap().to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend([0; 10]);
    bytes.extend(body);
    bytes
}

/// A `struct unix_diag_msg` with attributes.
fn socket(kind: u8, state: u8, inode: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![1, kind, state, 0];
    body.extend(inode.to_ne_bytes());
    body.extend([0; 8]);
    body.extend(attributes.concat());
    message(SOCK_DIAG_BY_FAMILY, &body)
}

fn words(words: [u32; 2]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

#[test]
fn reads_all_that_unix_diag_writes() {
    let listener = [
        attribute(UNIX_DIAG_NAME, b"/run/a\0"),
        attribute(UNIX_DIAG_VFS, &words([77, 5])),
        attribute(UNIX_DIAG_RQLEN, &words([3, 128])),
        attribute(UNIX_DIAG_UID, &1000_u32.to_ne_bytes()),
    ];
    let packet = [
        socket(1, 10, 9, &listener),
        socket(2, 7, 10, &[attribute(UNIX_DIAG_NAME, b"\0a\0b"), attribute(UNIX_DIAG_RQLEN, &words([1, 2]))]),
        socket(1, 1, 11, &[]),
        message(NLMSG_DONE, &[0; 4]),
    ];
    let mut found = Vec::new();
    assert!(read_messages(&packet.concat(), |body| found.extend(read_socket(body))).unwrap());
    let expected = [
        PortlessSocket {
            inode: 9,
            protocol: Protocol::Stream,
            state: State::Listen,
            name: Name::Path(b"/run/a".to_vec()),
            file: Some(FileId { inode: 77, device: 5 }),
            uid: Some(1000),
            backlog: Some((3, 128)),
        },
        PortlessSocket {
            inode: 10,
            protocol: Protocol::Dgram,
            state: State::Bound,
            name: Name::Abstract(b"a\0b".to_vec()),
            file: None,
            uid: None,
            backlog: None,
        },
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_error_message_is_an_error() {
    let packet = message(NLMSG_ERROR, &(-2_i32).to_ne_bytes());
    assert_eq!(read_messages(&packet, |_| {}).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn reads_the_table_of_proc() {
    let table = b"Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01    9 /run/a b
0000000000000000: 00000003 00000000 00000000 0001 03 11111
0000000000000000: 00000002 00000000 00000000 0002 01 12345 @abc
0000000000000000: 00000002 00000000 00000000 0001 01 12346 /run/twice
0000000000000000: 00000002 00000000 00000000 0001 03 12347 /run/twice
0000000000000000: 00000002 00000000 00000000 0005 01 12348 /run/twice
nonsense
";
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("5/net")).unwrap();
    fs::write(root.path().join("5/net/unix"), table).unwrap();
    let found: Vec<_> = list(&Procfs::at(root.path()), "5")
        .into_iter()
        .map(|socket| (socket.inode, socket.protocol, socket.state, socket.name))
        .collect();
    let expected = [
        (9, Protocol::Stream, State::Listen, Name::Path(b"/run/a b".to_vec())),
        (12345, Protocol::Dgram, State::Bound, Name::Abstract(b"abc".to_vec())),
        (12348, Protocol::Seqpacket, State::Bound, Name::Path(b"/run/twice".to_vec())),
    ];
    assert_eq!(found, expected);
}

#[test]
fn wants_the_file_or_the_name() {
    let file = FileId { inode: 7, device: 8 };
    let bound = |name: &[u8], file| PortlessSocket {
        inode: 1,
        protocol: Protocol::Stream,
        state: State::Listen,
        name: Name::of_unix(name),
        file,
        uid: None,
        backlog: None,
    };
    let path = Wanted::File(file, Some(b"/a".to_vec()));
    assert!(path.is(&bound(b"/renamed", Some(file))));
    assert!(path.is(&bound(b"/a", Some(FileId { device: 9, ..file }))));
    assert!(!path.is(&bound(b"/b", Some(FileId { device: 9, ..file }))));
    assert!(!path.is(&bound(b"/a", Some(FileId { inode: 9, ..file }))));
    assert!(path.is(&bound(b"/a", None)) && !path.is(&bound(b"a", None)));
    assert!(!Wanted::File(file, None).is(&bound(b"/a", None)));
    let name = Wanted::Abstract(b"a".to_vec(), Protocol::Stream);
    assert!(name.is(&bound(b"\0a", None)) && !name.is(&bound(b"a", None)) && !name.is(&bound(b"\0b", None)));
    assert!(!Wanted::Abstract(b"a".to_vec(), Protocol::Dgram).is(&bound(b"\0a", None)));
}

/// Any user can bind so many sockets; comparing all pairs would take ten thousand million comparisons.
#[test]
fn a_hundred_thousand_sockets_are_listed_in_a_moment() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("7/net")).unwrap();
    let line = |number: usize| {
        let name = number.min(99_998);
        format!("0000000000000000: 00000002 00000000 00010000 0001 01 {number} @{name}\n")
    };
    let table: String = std::iter::once("Num\n".to_owned()).chain((0..100_000).map(line)).collect();
    fs::write(root.path().join("7/net/unix"), table).unwrap();
    let begin = std::time::Instant::now();
    let listed = list(&Procfs::at(root.path()), "7");
    // The last two sockets have the same name, and it is not known which one really has it.
    assert_eq!(listed.len(), 99_998);
    assert!(begin.elapsed() < std::time::Duration::from_secs(20), "it took {:?}", begin.elapsed());
}

/// On the running kernel, by whichever of the two ways it supports.
#[test]
fn finds_sockets_of_this_process() {
    let procfs = Procfs::new();
    let netns = procfs.own_network_namespace().unwrap();
    let (process, namespace) = namespace(&procfs, netns, std::process::id()).unwrap();
    let name = format!("portbind-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let _datagram = UnixDatagram::bind_addr(&address).unwrap();
    let wanted = Wanted::Abstract(name.into_bytes(), Protocol::Stream);
    let found = find(&procfs, &Entrance::Own, &process, &namespace, &wanted);
    let inode = fs::metadata(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap().ino();
    assert_eq!(found.iter().map(|socket| socket.inode).collect::<Vec<_>>(), [inode]);
    assert_eq!(found[0].state, State::Listen);
    let listed = list(&procfs, &process);
    let mut listed = listed.iter().filter(|socket| wanted.is(socket));
    assert_eq!(listed.next().map(|socket| socket.inode), Some(inode));
}

proptest! {
    #[test]
    fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..256), kind: u16) {
        let _read = read_messages(&bytes, |body| drop(read_socket(body)));
        let _read = read_messages(&message(kind, &bytes), |body| drop(read_socket(body)));
        let _read = read_line(&bytes);
    }

    /// The length field of an attribute may have any value.
    #[test]
    fn takes_any_attributes(attributes in prop::collection::vec((0_u16..20, 0_u16..9, any::<u32>()), 0..8)) {
        let bytes = attributes.iter().flat_map(|(len, kind, value)| {
            [len.to_ne_bytes(), kind.to_ne_bytes()].concat().into_iter().chain(value.to_ne_bytes())
        });
        let body: Vec<u8> = [1, 1, 10, 0].into_iter().chain([0; 12]).chain(bytes).collect();
        let _read = read_messages(&message(SOCK_DIAG_BY_FAMILY, &body), |body| drop(read_socket(body)));
    }
}
