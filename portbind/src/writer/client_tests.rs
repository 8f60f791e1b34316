//! A helper that sends wrong answers, none, or ends.

use std::io::IoSlice;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd as _;

use rustix::fs::{Mode, OFlags, open};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, sendmsg};

use super::*;

fn pair() -> (Writer, OwnedFd) {
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    (Writer::over(ours).unwrap(), theirs)
}

fn say(theirs: &OwnedFd, packet: &[u8], descriptors: &[&OwnedFd]) {
    let descriptors: Vec<_> = descriptors.iter().map(|descriptor| descriptor.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(8))];
    let mut attached = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        attached.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    sendmsg(theirs, &[IoSlice::new(packet)], &mut attached, SendFlags::NOSIGNAL).unwrap();
}

/// The result of an append if the helper answers with this packet.
fn answered(packet: &[u8], descriptors: &[&OwnedFd]) -> io::Result<File> {
    let (mut writer, theirs) = pair();
    say(&theirs, &Response::Done.encode(), &[]);
    say(&theirs, packet, descriptors);
    writer.append(Path::new("file"))
}

fn reason(result: io::Result<File>) -> Option<Refused> {
    result.unwrap_err().get_ref().and_then(|inner| inner.downcast_ref()).cloned()
}

fn opened(path: &str, flags: OFlags) -> OwnedFd {
    open(path, flags, Mode::empty()).unwrap()
}

#[test]
fn nothing_but_files_of_logs_is_taken() {
    let file = tempfile::tempfile().unwrap().into();
    let (reader, pipe) = rustix::pipe::pipe().unwrap();
    let packet = Response::File.encode();
    for good in [&file, &pipe, &opened("/dev/null", OFlags::WRONLY), &opened("/dev/full", OFlags::RDWR)] {
        answered(&packet, &[good]).unwrap();
    }
    let bad = [
        reader,
        opened("/dev/null", OFlags::RDONLY),
        opened("/dev/null", OFlags::PATH),
        opened("/dev/urandom", OFlags::WRONLY),
        opened("/tmp", OFlags::DIRECTORY),
        opened("/proc/self/comm", OFlags::RDWR),
        TcpListener::bind("127.0.0.1:0").unwrap().into(),
        UdpSocket::bind("127.0.0.1:0").unwrap().into(),
        rustix::event::epoll::create(rustix::event::epoll::CreateFlags::empty()).unwrap(),
    ];
    for (index, bad) in bad.iter().enumerate() {
        assert_eq!(reason(answered(&packet, &[bad])), Some(Refused::Special), "{index}");
    }
}

#[test]
fn a_pipe_is_waited_for_again() {
    let (_reader, pipe) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::NONBLOCK).unwrap();
    let file = answered(&Response::File.encode(), &[&pipe]).unwrap();
    assert_eq!(rustix::fs::fcntl_getfl(&file).unwrap() & OFlags::NONBLOCK, OFlags::empty());
}

#[test]
fn of_many_descriptors_none_is_left_open() {
    let file: OwnedFd = tempfile::tempfile().unwrap().into();
    answered(&Response::File.encode(), &[&file; 8]).unwrap();
}

#[test]
fn nonsense_breaks_it() {
    let file: OwnedFd = tempfile::tempfile().unwrap().into();
    for packet in [&b"\xff"[..], b"\x01 more", b"\x00", b"\x03", b"\x06\0"] {
        assert_eq!(reason(answered(packet, &[&file])), Some(Refused::Nonsense), "{packet:?}");
    }
    assert_eq!(reason(answered(&Response::File.encode(), &[])), Some(Refused::Nonsense));
}

#[test]
fn its_reasons_are_passed_on() {
    let link = Response::Refused(Refused::Link("out".into()));
    assert_eq!(reason(answered(&link.encode(), &[])), Some(Refused::Link("out".into())));
    let failed = answered(&Response::Failed(13).encode(), &[]).unwrap_err();
    assert_eq!(failed.raw_os_error(), Some(13));
}

#[test]
fn one_that_has_ended_is_said_and_not_asked_again() {
    let (mut writer, theirs) = pair();
    drop(theirs);
    for _ in 0..2 {
        assert_eq!(reason(writer.append(Path::new("file"))), Some(Refused::Gone));
    }
}

#[test]
fn why_it_could_not_begin_is_said() {
    let (mut writer, theirs) = pair();
    say(&theirs, &Response::Failed(1).encode(), &[]);
    drop(theirs);
    assert_eq!(writer.append(Path::new("file")).unwrap_err().raw_os_error(), Some(1));
}

#[test]
fn one_that_is_silent_is_not_waited_for_twice() {
    let (mut writer, theirs) = pair();
    set_socket_timeout(&writer.socket, Timeout::Send, Some(Duration::from_millis(50))).unwrap();
    writer.patience = Duration::from_millis(50);
    assert_eq!(reason(writer.append(Path::new("file"))), Some(Refused::Silent));
    assert_eq!(reason(writer.append(Path::new("file"))), Some(Refused::Gone));
    let parts = vec![0; 8 << 20];
    writer.is_broken = false;
    assert!(writer.send_parts(&parts).is_err());
    drop(theirs);
}

/// Any process of the helper's user can stop the helper.
#[test]
fn one_that_is_stopped_is_not_waited_for() {
    let (mut writer, _theirs) = pair();
    let process = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let pid = Pid::from_child(&process);
    writer.process = Some(process);
    let begun = Instant::now();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    assert_eq!(reason(writer.append(Path::new("file"))), Some(Refused::Stopped));
    assert!(begun.elapsed() < PATIENCE / 2);
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
