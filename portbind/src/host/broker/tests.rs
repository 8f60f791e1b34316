use std::fs::{self, File};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::thread;

use proptest::prelude::*;
use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::question::{ANSWER, Liveness, PathQuestion, QUESTION, Question, Setting, SocketKind};
use super::resolve::Resolve;
use super::server::serve;
use crate::event::{Family, Protocol};
use crate::host::helper::{receive, send};

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

/// Asks a broker that runs as a thread, for questions that need no other namespace.
fn ask(bytes: &[u8], with: Option<BorrowedFd<'_>>) -> (i32, u32, Option<OwnedFd>) {
    let (ours, theirs) = pair();
    let broker = thread::spawn(move || serve(theirs.as_fd()));
    send(ours.as_fd(), bytes, with).unwrap();
    let (answer, descriptor) = receive::<ANSWER>(ours.as_fd()).unwrap().unwrap();
    drop(ours);
    broker.join().unwrap().unwrap();
    let answer = answer.unwrap();
    let word = |at: usize| <[u8; 4]>::try_from(&answer[at..at + 4]).unwrap();
    (i32::from_ne_bytes(word(0)), u32::from_ne_bytes(word(4)), descriptor)
}

fn path(at: &std::path::Path) -> OwnedFd {
    openat(CWD, at, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

#[test]
fn a_path_is_resolved_below_its_root() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("there"), "x").unwrap();
    std::os::unix::fs::symlink("/there", root.path().join("link")).unwrap();
    let folder = path(root.path());
    let look = |path: &'static [u8], resolve, follows| {
        let question = Question::Path(PathQuestion { path, resolve, follows });
        ask(&question.to_bytes().unwrap(), Some(folder.as_fd()))
    };
    let inode = |descriptor: Option<OwnedFd>| fstat(descriptor.unwrap()).unwrap().st_ino;
    let there = fs::metadata(root.path().join("there")).unwrap();
    let expected = std::os::unix::fs::MetadataExt::ino(&there);
    for (path, follows) in [(&b"/there"[..], false), (b"/../../there", false), (b"/link", true)] {
        let (error, _, found) = look(path, Resolve::InRoot, follows);
        assert_eq!((error, inode(found)), (0, expected), "{path:?}");
    }
    let (error, _, link) = look(b"/link", Resolve::InRoot, false);
    assert_eq!(error, 0);
    assert_ne!(inode(link), expected);
    assert_eq!(look(b"/gone", Resolve::InRoot, false).0, libc::ENOENT);
    assert_eq!(look(b"link", Resolve::WithoutLinks, true).0, libc::ELOOP);
    assert_eq!(look(b"../x", Resolve::WithoutLinks, true).0, libc::EXDEV);
    // The returned descriptor permits neither reads nor writes.
    let (_, _, found) = look(b"/there", Resolve::InRoot, true);
    let mut byte = [0];
    assert_eq!(rustix::io::read(found.unwrap(), &mut byte), Err(Errno::BADF));
}

#[test]
fn a_socket_file_is_in_use_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("socket");
    let listener = UnixListener::bind(&name).unwrap();
    let file = path(&name);
    let question = Question::Liveness.to_bytes().unwrap();
    let liveness = || ask(&question, Some(file.as_fd())).1.to_ne_bytes()[0];
    assert_eq!(Liveness::of_number(liveness()), Some(Liveness::Live));
    drop(listener);
    assert_eq!(Liveness::of_number(liveness()), Some(Liveness::Stale));
}

#[test]
fn senseless_questions_are_refused() {
    let some = File::open("/dev/null").unwrap();
    let socket = Question::Socket(SocketKind::Diagnosis).to_bytes().unwrap();
    // The descriptor refers to no network namespace.
    let refused = ask(&socket, Some(some.as_fd()));
    assert!(refused.0 != 0 && refused.2.is_none(), "{refused:?}");
    assert_eq!(ask(&socket, None).0, libc::EBADF);
    for bytes in [&socket[..QUESTION - 1], &[0; QUESTION], &[1; QUESTION + 1], b"x"] {
        assert_eq!(ask(bytes, Some(some.as_fd())).0, libc::EINVAL);
    }
    let long = Question::Path(PathQuestion { path: &[b'a'; 109], resolve: Resolve::Here, follows: false });
    assert_eq!(long.to_bytes(), Err(Errno::NAMETOOLONG));
    let portless = Question::Socket(SocketKind::Port(Family::Inet, Protocol::Ping));
    assert_eq!(portless.to_bytes(), Err(Errno::PROTONOSUPPORT));
}

fn questions() -> impl Strategy<Value = (u8, u8, Vec<u8>)> {
    (0..5_u8, any::<u8>(), prop::collection::vec(any::<u8>(), 0..120))
}

proptest! {
    #[test]
    fn takes_any_question(bytes in prop::collection::vec(any::<u8>(), QUESTION)) {
        let bytes: [u8; QUESTION] = bytes.try_into().unwrap();
        if let Some(question) = Question::of_bytes(&bytes) {
            prop_assert_eq!(question.to_bytes().unwrap(), bytes);
        }
    }

    #[test]
    fn reads_all_that_it_writes((kind, detail, path) in questions()) {
        let resolve = [Resolve::InRoot, Resolve::Here, Resolve::WithoutLinks][usize::from(detail % 3)];
        let question = match kind {
            0 => Question::Socket(SocketKind::Diagnosis),
            1 => Question::Socket(SocketKind::Port(Family::Inet6, Protocol::Udp)),
            2 => Question::Setting(Setting::ReservedPorts),
            3 => Question::Path(PathQuestion { path: &path, resolve, follows: detail > 99 }),
            _ => Question::Liveness,
        };
        match question.to_bytes() {
            Ok(bytes) => prop_assert_eq!(Question::of_bytes(&bytes), Some(question)),
            Err(_) => prop_assert!(kind == 3 && path.len() > 108),
        }
    }
}
