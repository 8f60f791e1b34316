use super::*;
use crate::event::{Holder, PortTable, State, samples};

const KEY: PortKey = PortKey { netns: 1, table: PortTable::Tcp, port: 8080 };

fn id(inode: u64) -> SocketId {
    SocketId { object: 1, inode }
}

fn later(refusal: &Refusal, ms: i64) -> Timestamp {
    refusal.time + SignedDuration::from_millis(ms)
}

fn time_wait(left: u64) -> Holder {
    Holder {
        state: State::TimeWait,
        ownership: Ownership::TimeWait,
        time_wait_left_ms: Some(left),
        inode: None,
        ..samples::held_by_java()
    }
}

#[test]
fn the_last_one_in_the_way_frees_the_port() {
    let mut refusal = samples::listener();
    refusal.holders = [5, 6].map(|inode| Holder { id: id(inode), ..samples::held_by_java() }).to_vec();
    let mut aftermath = Aftermath::default();
    aftermath.watch(KEY, &refusal, true);
    assert!(aftermath.closed(KEY, id(5), later(&refusal, 10)).is_empty());
    assert!(aftermath.closed(PortKey { port: 1, ..KEY }, id(6), later(&refusal, 20)).is_empty());
    let free = aftermath.closed(KEY, id(6), later(&refusal, 40));
    assert_eq!(free.iter().map(|release| release.after().as_millis()).collect::<Vec<_>>(), [40]);
    assert!(aftermath.closed(KEY, id(6), later(&refusal, 50)).is_empty());
}

#[test]
fn time_wait_ends_by_the_clock() {
    let mut refusal = samples::listener();
    refusal.holders = vec![time_wait(1000), time_wait(3000)];
    let mut aftermath = Aftermath::default();
    aftermath.watch(KEY, &refusal, true);
    assert_eq!(aftermath.next_due(), Some(later(&refusal, 1000)));
    assert!(aftermath.due(later(&refusal, 2000)).is_empty());
    assert_eq!(aftermath.next_due(), Some(later(&refusal, 3000)));
    assert_eq!(aftermath.due(later(&refusal, 3001)).len(), 1);
    assert_eq!(aftermath.next_due(), None);
}

#[test]
fn a_port_whose_end_cannot_be_seen_is_not_watched() {
    let mut refusal = samples::listener();
    refusal.holders = vec![Holder { ownership: Ownership::Kernel, id: id(5), ..samples::held_by_java() }];
    let mut aftermath = Aftermath::default();
    aftermath.watch(KEY, &refusal, true);
    assert!(aftermath.closed(KEY, id(5), refusal.time).is_empty());
    refusal.holders.clear();
    aftermath.watch(KEY, &refusal, true);
    assert!(aftermath.due(later(&refusal, 1_000_000)).is_empty());
}

fn connection() -> Holder {
    let peer = Some(("127.0.0.1".parse().unwrap(), 9));
    Holder { state: State::Established, peer, ..samples::held_by_java() }
}

fn snapshot(holder: &Holder) -> SocketSnapshot {
    SocketSnapshot { address: holder.address, peer: holder.peer, inode: holder.id.inode }
}

#[test]
fn a_connection_is_examined_until_it_is_gone() {
    let mut refusal = samples::listener();
    refusal.holders = vec![connection()];
    let mut aftermath = Aftermath::default();
    aftermath.watch(KEY, &refusal, true);
    assert_eq!(aftermath.next_due(), Some(later(&refusal, 20)));
    assert!(aftermath.poll_targets(later(&refusal, 10)).is_empty());
    let look = PollTarget { key: KEY, pids: vec![48213, 47990] };
    assert_eq!(aftermath.poll_targets(later(&refusal, 20)), [look]);
    // A TIME_WAIT socket between the same endpoints has no inode.
    let time_wait = SocketSnapshot { inode: 0, ..snapshot(&connection()) };
    assert!(aftermath.polled(KEY, Some(&[time_wait]), later(&refusal, 20)).is_empty());
    assert_eq!(aftermath.next_due(), Some(later(&refusal, 40)));
    assert_eq!(aftermath.poll_targets(later(&refusal, 800)).len(), 1);
    assert_eq!(aftermath.next_due(), Some(later(&refusal, 900)));
    assert_eq!(aftermath.polled(KEY, Some(&[]), later(&refusal, 900)).len(), 1);
    assert_eq!(aftermath.next_due(), None);
}

#[test]
fn a_bound_socket_whose_end_is_not_shown_must_show_first() {
    let mut refusal = samples::listener();
    let holder = Holder { state: State::Bound, id: id(5), ..samples::held_by_java() };
    refusal.holders = vec![holder.clone()];
    let releases = |found: &[&[SocketSnapshot]]| {
        let mut aftermath = Aftermath::default();
        aftermath.watch(KEY, &refusal, false);
        let looked = found.iter().map(|found| aftermath.polled(KEY, Some(found), refusal.time).len());
        (looked.sum::<usize>(), aftermath.next_due().is_some())
    };
    assert_eq!(releases(&[&[snapshot(&holder)]]), (0, true));
    assert_eq!(releases(&[&[snapshot(&holder)], &[]]), (1, false));
    assert_eq!(releases(&[&[]]), (0, false));
}

#[test]
fn all_that_cannot_be_examined_is_given_up() {
    let mut refusal = samples::listener();
    refusal.holders = vec![connection()];
    let mut aftermath = Aftermath::default();
    aftermath.watch(KEY, &refusal, true);
    assert!(aftermath.polled(KEY, None, refusal.time).is_empty());
    assert_eq!(aftermath.next_due(), None);
}
