use std::net::Ipv4Addr;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::event::PortTable;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn key(port: u16) -> PortKey {
    PortKey { netns: 1, table: PortTable::Tcp, port }
}

fn moment(what: MomentKind, pid: u32, socket: SocketId) -> Moment {
    let process = Rc::new(Process { pid, ..Process::default() });
    Moment {
        time: Some(Timestamp::UNIX_EPOCH),
        what,
        process: Some(process),
        socket,
        address: LOCALHOST,
        peer: None,
    }
}

fn pid(moment: Option<&Moment>) -> Option<u32> {
    moment?.process.as_ref().map(|process| process.pid)
}

#[test]
fn the_opener_is_seen_by_inode_whatever_the_object() {
    let mut history = History::new(100);
    let bound = MomentKind::Bound { any: false };
    history.push(key(80), moment(bound, 7, SocketId { object: 1, inode: 10 }));
    history.push(key(80), moment(MomentKind::Closed, 7, SocketId { object: 1, inode: 10 }));
    history.push(key(80), moment(bound, 8, SocketId { object: 1, inode: 11 }));
    let opener = |object, inode| pid(history.opening(key(80), SocketId { object, inode }));
    assert_eq!(opener(1, 11), Some(8));
    assert_eq!(opener(9, 10), Some(7));
    assert_eq!(opener(9, 12), None);
}

#[test]
fn bound_sockets_are_those_that_have_not_let_go() {
    let mut history = History::new(100);
    let bound = MomentKind::Bound { any: false };
    let socket = |inode| SocketId { object: inode, inode };
    for (port, what, inode) in [
        (80, bound, 10),
        (80, MomentKind::Listening, 10),
        (81, bound, 11),
        (81, MomentKind::Closed, 11),
        (82, MomentKind::Connected, 12),
        (83, bound, 13),
        (83, MomentKind::Closed, 99),
    ] {
        history.push(key(port), moment(what, 7, socket(inode)));
    }
    let mut found: Vec<_> = history.bound().map(|(key, moment)| (key.port, moment.socket.inode)).collect();
    found.sort_unstable();
    assert_eq!(found, [(80, 10), (83, 13)]);
}

#[test]
fn an_object_that_was_freed_says_nothing() {
    let mut history = History::new(100);
    let socket = SocketId { object: 1, inode: 0 };
    history.push(key(80), moment(MomentKind::Bound { any: false }, 7, socket));
    assert_eq!(pid(history.opening(key(80), socket)), Some(7));
    history.push(key(80), moment(MomentKind::Closed, 7, socket));
    assert_eq!(pid(history.opening(key(80), socket)), None);
}

#[test]
fn both_ends_of_a_connection_show_who_left() {
    let mut history = History::new(100);
    let socket = SocketId { object: 1, inode: 0 };
    for (pid, port) in [(7, 4000), (8, 4001), (9, 4000)] {
        let peer = Some((LOCALHOST, port));
        history.push(key(80), Moment { peer, ..moment(MomentKind::Leaving, pid, socket) });
    }
    assert_eq!(pid(history.leaving(key(80), LOCALHOST, (LOCALHOST, 4001))), Some(8));
    assert_eq!(pid(history.leaving(key(80), LOCALHOST, (LOCALHOST, 4000))), Some(9));
    assert_eq!(pid(history.leaving(key(81), LOCALHOST, (LOCALHOST, 4000))), None);
}

proptest! {
    #[test]
    fn it_stays_within_its_limit_and_counts_all_that_it_forgets(
        ports in proptest::collection::vec(1_u16..200, 0..600),
    ) {
        let limit = 50;
        let mut history = History::new(limit);
        for (index, port) in ports.iter().enumerate() {
            let socket = SocketId { object: 1, inode: index as u64 + 1 };
            history.push(key(*port), moment(MomentKind::Listening, 1, socket));
            prop_assert!(history.len() <= limit);
            let newest = history.of(key(*port)).last();
            prop_assert_eq!(newest.map(|moment| moment.socket), Some(socket));
        }
        let kept: usize = (1..200).map(|port| history.of(key(port)).len()).sum();
        prop_assert_eq!(kept, history.len());
        let dropped = u64::try_from(ports.len() - kept).unwrap();
        prop_assert!(history.evicted() <= dropped);
    }
}

#[test]
fn all_that_was_so_before_comes_first_and_opens_nothing() {
    let mut history = History::new(4);
    let socket = |inode| SocketId { object: 0, inode };
    let before =
        |pid, inode| Moment { time: None, ..moment(MomentKind::Bound { any: false }, pid, socket(inode)) };
    history.push(key(80), moment(MomentKind::Listening, 7, socket(10)));
    history.seed(key(80), before(8, 11));
    history.seed(key(80), before(9, 12));
    // The history already has a later moment of this socket.
    history.seed(key(80), before(6, 10));
    let pids: Vec<_> = history.of(key(80)).iter().map(|moment| pid(Some(moment))).collect();
    assert_eq!(pids, [Some(8), Some(9), Some(7)]);
    assert_eq!(pid(history.opening(key(80), socket(11))), None);
    history.seed(key(81), before(5, 13));
    history.seed(key(82), before(5, 14));
    assert_eq!((history.len(), history.of(key(82)).len(), history.evicted()), (4, 0, 0));
}
