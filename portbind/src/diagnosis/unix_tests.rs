use std::rc::Rc;

use super::*;
use crate::event::{Family, HolderProcess, Name, Options, Ownership, Protocol, SocketId};

fn holder(pid: u32, state: State) -> Holder {
    let process = Process { pid, ..Process::default() };
    Holder {
        id: SocketId::default(),
        opened_by: None,
        since: None,
        left_by: None,
        state,
        conflicts: true,
        protocol: Protocol::Stream,
        family: Family::Unix,
        address: std::net::Ipv4Addr::UNSPECIFIED.into(),
        port: 0,
        name: Some(Name::Path(b"/run/a".to_vec())),
        peer: None,
        interface: None,
        inode: Some(u64::from(pid)),
        uid: None,
        user: None,
        options: Options::default(),
        options_known: true,
        ownership: Ownership::Process,
        time_wait_left_ms: None,
        backlog: None,
        processes: vec![HolderProcess { process: Rc::new(process), fds: vec![3], close_on_exec: None }],
        more_processes: 0,
    }
}

fn path(object: Object) -> Facts {
    Facts::Path { object, absolute: Some(b"/run/a".to_vec()), is_ours: true }
}

#[test]
fn a_cause_for_each_object() {
    let caller = Process { pid: 7, ..Process::default() };
    let (own, listener, bound) =
        (holder(7, State::Listen), holder(8, State::Listen), holder(8, State::Bound));
    let cases: [(Facts, &[Holder], Code, &str); 17] = [
        (
            path(Object::LiveSocket),
            std::slice::from_ref(&listener),
            Code::LiveSocketFile,
            "another socket listens",
        ),
        (
            path(Object::LiveSocket),
            std::slice::from_ref(&bound),
            Code::LiveSocketFile,
            "another socket is bound",
        ),
        (path(Object::LiveSocket), std::slice::from_ref(&own), Code::LiveSocketFile, "the failing process"),
        (path(Object::LiveSocket), &[], Code::LiveSocketFile, "could not be found"),
        (path(Object::StaleSocket), &[], Code::StaleSocketFile, "no socket is bound to it any more"),
        (path(Object::Socket), &[], Code::PathExists, "is not known"),
        (path(Object::File), &[], Code::PathExists, "a regular file"),
        (path(Object::Directory), &[], Code::PathExists, "a directory"),
        (path(Object::DanglingLink), &[], Code::PathExists, "leads nowhere"),
        (path(Object::Link), &[], Code::PathExists, "a symbolic link"),
        (path(Object::Pipe), &[], Code::PathExists, "a pipe"),
        (path(Object::Device), &[], Code::PathExists, "a device"),
        (path(Object::Unseen), &[], Code::PathExists, "could not be looked at"),
        (path(Object::Gone), &[], Code::Vanished, "nothing was left"),
        (Facts::Abstract, std::slice::from_ref(&listener), Code::AbstractNameTaken, "another socket"),
        (Facts::Abstract, std::slice::from_ref(&own), Code::AbstractNameTaken, "the failing process"),
        (Facts::Abstract, &[], Code::AbstractNameTaken, "was gone"),
    ];
    for (facts, holders, code, words) in cases {
        let cause = decide(&facts, &caller, holders);
        assert_eq!(cause.code, code, "{facts:?}");
        assert!(cause.summary.contains(words), "{facts:?}: {}", cause.summary);
        assert_eq!(fix(&facts).is_some(), code == Code::StaleSocketFile, "{facts:?}");
    }
}

fn stale(absolute: Option<&[u8]>, is_ours: bool) -> String {
    let absolute = absolute.map(<[u8]>::to_vec);
    fix(&Facts::Path { object: Object::StaleSocket, absolute, is_ours }).unwrap().text
}

#[test]
fn a_command_only_where_it_can_be_copied() {
    assert_eq!(stale(Some(b"/run/my app's.sock"), true), r#"remove it: rm -- '/run/my app'"'"'s.sock'"#);
    assert_eq!(stale(Some("/run/gr\u{fc}n".as_bytes()), true), "remove it: rm -- '/run/gr\u{fc}n'");
    let elsewhere = "remove it, in the mount namespace of the caller: rm -- '/run/a'";
    assert_eq!(stale(Some(b"/run/a"), false), elsewhere);
    let odd: [&[u8]; 5] = [b"/a\nb", b"/a\xff", b"/a::b", b"/a##b", "/a\u{202e}b".as_bytes()];
    for path in odd {
        assert_eq!(stale(Some(path), true), "remove it", "{path:?}");
    }
    assert_eq!(stale(Some(b"relative"), true), "remove it");
    assert_eq!(stale(None, true), "remove it");
}

#[test]
fn connections_of_a_listener_are_not_in_the_way() {
    let states = |states: &[State]| {
        let named = states.iter().zip(1..).map(|(&state, pid)| holder(pid, state)).collect();
        in_the_way(named).iter().map(|holder| holder.state).collect::<Vec<_>>()
    };
    assert_eq!(states(&[State::Established, State::Listen, State::Established]), [State::Listen]);
    assert_eq!(states(&[State::Established, State::Bound]), [State::Bound]);
    assert_eq!(states(&[State::Established]), [State::Established]);
    assert_eq!(states(&[]), []);
}
