use std::fs::{File, OpenOptions};
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd as _;
use std::process::Command;
use std::thread;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::pipe::fcntl_getpipe_size;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use seccompiler::apply_filter;

use super::*;

/// Runs a function in a thread whose system calls are filtered; the filter ends with the thread.
fn filtered<T: Send + 'static>(purpose: Purpose, work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(move || {
        for program in programs(purpose).unwrap() {
            apply_filter(&program).unwrap();
        }
        work()
    });
    thread.join().unwrap()
}

fn refused<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| error.raw_os_error() == Some(libc::EPERM))
}

const EACH: [Purpose; 4] = [Purpose::Trace, Purpose::Run { command: 1 }, Purpose::Broker, Purpose::WorkTree];

#[test]
fn nothing_is_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "x").unwrap();
    for purpose in EACH {
        let path = path.clone();
        filtered(purpose, move || {
            assert!(File::open(&path).is_ok());
            for options in [
                OpenOptions::new().write(true),
                OpenOptions::new().read(true).write(true),
                OpenOptions::new().append(true),
                OpenOptions::new().write(true).create(true),
            ] {
                assert!(refused(options.open(&path)), "{purpose:?}");
            }
            let flags = [OFlags::RDONLY | OFlags::CREATE, OFlags::RDONLY | OFlags::TRUNC];
            for flags in flags.into_iter().chain([OFlags::RDWR | OFlags::TMPFILE]) {
                let opened = openat(CWD, &path, flags, Mode::RUSR);
                assert_eq!(opened.err(), Some(Errno::PERM), "{purpose:?} {flags:?}");
            }
            assert!(refused(std::fs::remove_file(&path)) && refused(std::fs::rename(&path, "/tmp/x")));
            assert!(refused(std::fs::create_dir(path.with_extension("d"))));
            assert!(refused(std::fs::set_permissions(&path, std::fs::metadata("/").unwrap().permissions())));
        });
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "x");
}

#[test]
fn no_process_is_started_or_entered() {
    let own = std::process::id().cast_signed();
    for purpose in EACH {
        filtered(purpose, move || {
            assert!(refused(Command::new("/bin/true").spawn()), "{purpose:?}");
            let other = rustix::process::Pid::from_raw(own);
            assert_eq!(rustix::process::test_kill_process(other.unwrap()), Err(Errno::PERM), "{purpose:?}");
        });
    }
}

#[test]
fn nobody_is_asked_for_descriptors() {
    let own = rustix::process::getpid();
    for purpose in EACH {
        filtered(purpose, move || {
            let opened = rustix::process::pidfd_open(own, rustix::process::PidfdFlags::empty());
            assert_eq!(opened.err(), Some(Errno::PERM), "{purpose:?}");
        });
    }
}

#[test]
fn only_the_broker_enters_namespaces() {
    let enter = || {
        let own = File::open("/proc/self/ns/net").unwrap();
        move_into_link_name_space(own.as_fd(), Some(LinkNameSpaceType::Network))
    };
    assert_eq!(filtered(Purpose::Trace, enter), Err(Errno::PERM));
    assert_eq!(filtered(Purpose::Run { command: 1 }, enter), Err(Errno::PERM));
    if rustix::process::geteuid().is_root() {
        assert_eq!(filtered(Purpose::Broker, enter), Ok(()));
    }
}

#[test]
fn calls_of_searches_are_allowed() {
    filtered(Purpose::Trace, || {
        // clone3 is refused with the error that makes the library fall back.
        assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
        assert!(std::fs::read_dir("/proc/self/fd").unwrap().count() > 0);
        assert!(std::fs::read_link("/proc/self/exe").is_ok());
        let diagnosis = super::super::super::broker::SocketKind::Diagnosis;
        assert!(diagnosis.open().is_ok());
        assert!(std::net::TcpListener::bind("127.0.0.1:0").is_err(), "listen is not needed");
        assert!(refused(TcpStream::connect("127.0.0.1:9")));
        let packets = socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, None);
        assert_eq!(packets.err(), Some(Errno::PERM));
    });
}

#[test]
fn a_signal_reaches_the_command_alone() {
    let command = std::process::id();
    filtered(Purpose::Run { command }, move || {
        let pid = rustix::process::Pid::from_raw(command.cast_signed()).unwrap();
        assert_eq!(rustix::process::test_kill_process(pid), Ok(()));
        let first = rustix::process::Pid::from_raw(1).unwrap();
        assert_eq!(rustix::process::test_kill_process(first), Err(Errno::PERM));
    });
}

#[test]
fn calls_that_a_filter_cannot_see_into_are_not_made() {
    for purpose in EACH {
        filtered(purpose, move || {
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            let opened = openat2(CWD, "/", flags, Mode::empty(), ResolveFlags::empty());
            assert_eq!(opened.err(), Some(Errno::NOSYS), "{purpose:?}");
        });
    }
}

#[test]
fn nobody_is_sent_signals_or_requests() {
    let (reader, _writer) = rustix::pipe::pipe().unwrap();
    let reader = std::sync::Arc::new(reader);
    for purpose in EACH {
        let reader = std::sync::Arc::clone(&reader);
        filtered(purpose, move || {
            assert!(fcntl_dupfd_cloexec(&*reader, 0).is_ok(), "{purpose:?}");
            // Stands for all unlisted commands, F_SETOWN and F_SETSIG among them.
            assert_eq!(fcntl_getpipe_size(&*reader).err(), Some(Errno::PERM), "{purpose:?}");
            let socket = |kind| socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None);
            assert_eq!(socket(SocketType::DGRAM).is_ok(), purpose != Purpose::WorkTree, "{purpose:?}");
            for kind in [SocketType::STREAM, SocketType::SEQPACKET] {
                assert_eq!(socket(kind).err(), Some(Errno::PERM), "{purpose:?}");
            }
        });
    }
}
