use super::*;
use crate::event::{Ancestor, HolderProcess, State, samples};

fn process(pid: u32, comm: &str) -> Rc<Process> {
    let above: &[u32] = if [9, 10].contains(&pid) { &[8] } else { &[] };
    let ancestors = above.iter().map(|&pid| Ancestor::new(pid, String::new())).collect();
    Rc::new(Process { pid, comm: comm.to_owned(), ancestors, ..Process::default() })
}

fn holder(inode: u64, pids: &[u32]) -> Holder {
    let open = |&pid: &u32| HolderProcess { process: process(pid, "x"), fds: vec![3], close_on_exec: None };
    Holder { inode: Some(inode), processes: pids.iter().map(open).collect(), ..samples::held_by_java() }
}

fn connection(inode: u64, port: u16, pids: &[u32]) -> Holder {
    let peer = Some(("192.0.2.1".parse().unwrap(), 443));
    let address = "192.0.2.7".parse().unwrap();
    Holder { state: State::Established, peer, port, address, ..holder(inode, pids) }
}

/// The unit of a process; process 999 has one with a name that its user made up.
fn unit(pid: u32) -> String {
    if pid == 999 { "u@$(id).service".to_owned() } else { format!("u{pid}.service") }
}

fn made(holders: &[Holder]) -> Plan {
    let manager = |process: &Process| {
        (process.pid >= 900)
            .then(|| Manager::Unit { user: (process.pid > 900).then_some(1001), unit: unit(process.pid) })
    };
    plan(
        holders,
        &Surroundings {
            own: &[50, 40],
            ephemeral: Some((32_768, 60_999)),
            manager: &manager,
            standing: &standing,
            process: &|pid| Some((*process(pid, "haproxy")).clone()),
            cgroup: &|inode| (inode == 70).then_some(5),
        },
    )
}

/// All processes run as the user that made the sockets, except those from 100 to 899.
fn standing(process: &Process) -> Standing {
    let uid = if (100..900).contains(&process.pid) { 7 } else { 1000 };
    let cgroups = if [10, 60].contains(&process.pid) { vec![6, 1] } else { vec![5, 1] };
    Standing { uids: vec![uid], cgroups, session: Some(1), ..Standing::default() }
}

fn pids(plan: &Plan) -> Vec<u32> {
    plan.targets.iter().map(|target| target.process.pid).collect()
}

#[test]
fn a_family_is_stopped_whole_and_clients_are_not() {
    let found = made(&[holder(70, &[9, 8]), holder(71, &[8]), connection(72, 8080, &[9])]);
    assert_eq!(pids(&found), [8, 9]);
    assert_eq!((&found.targets[0].inodes, &found.targets[1].inodes), (&vec![70, 71], &vec![70, 72]));
    assert!(found.obstacles.is_empty() && found.clients.is_empty());
    let found = made(&[connection(72, 40_000, &[7])]);
    assert_eq!((pids(&found), found.clients.len()), (vec![], 1));
}

#[test]
fn workers_end_with_their_master() {
    let ends = |plan: &Plan| -> Vec<(u32, Option<u32>)> {
        plan.targets.iter().map(|target| (target.process.pid, target.ends_with)).collect()
    };
    let found = made(&[holder(70, &[8, 9]), holder(71, &[7])]);
    assert_eq!(ends(&found), [(7, None), (8, None), (9, Some(8))]);
    assert_eq!(found.workers().count(), 1);
    // The master has no socket: it is stopped only if it can have made its worker's.
    let worker_of = |master: u32| {
        let mut holder = holder(71, &[20]);
        let worker = Rc::make_mut(&mut holder.processes[0].process);
        worker.comm = "haproxy".to_owned();
        worker.ancestors = vec![Ancestor::new(master, "haproxy".to_owned())];
        holder
    };
    let found = made(&[worker_of(19)]);
    assert_eq!(ends(&found), [(19, None), (20, Some(19))]);
    assert!(found.targets[0].inodes.is_empty());
    assert_eq!(ends(&made(&[worker_of(100)])), [(20, None)]);
    assert_eq!(made(&[worker_of(40)]).obstacles.len(), 1);
}

#[test]
fn obstacles_are_known() {
    let nobody = holder(70, &[]);
    let rows = [
        (holder(70, &[1]), Obstacle::Init(process(1, "x"))),
        (holder(70, &[40]), Obstacle::Own(process(40, "x"))),
        (nobody.clone(), Obstacle::Nobody(Box::new(nobody))),
    ];
    for (holder, expected) in rows {
        assert_eq!(made(&[holder]).obstacles, [expected]);
    }
    let left = Holder { ownership: Ownership::TimeWait, state: State::TimeWait, ..holder(70, &[]) };
    assert_eq!(made(&[left]), Plan::default());
}

#[test]
fn who_was_handed_a_socket_is_left_alone() {
    let handed = |pid, sign| Obstacle::Handed { process: process(pid, "x"), sign };
    let found = made(&[holder(70, &[8, 9, 10, 200]), holder(71, &[8, 200])]);
    assert_eq!(pids(&found), [8, 9]);
    assert_eq!(found.obstacles, [handed(10, Sign::Cgroup), handed(200, Sign::User(1000))]);
    assert!(!found.is_forbidden());
    // No other process has the socket open.
    let found = made(&[holder(70, &[200])]);
    assert!(found.is_forbidden() && pids(&found).is_empty());
    // A process that bound a socket is a target even if it was handed another one.
    let found = made(&[holder(70, &[8, 10]), holder(71, &[10])]);
    assert_eq!((pids(&found), found.obstacles), (vec![8, 10], vec![]));
}

#[test]
fn an_undecided_owner_stops_nobody() {
    let found = made(&[holder(70, &[8, 11, 200]), holder(71, &[12])]);
    let of = |pid| Obstacle::Undecided(process(pid, "x"));
    let handed = Obstacle::Handed { process: process(200, "x"), sign: Sign::User(1000) };
    assert_eq!(found.obstacles, [of(8), of(11), handed]);
    assert!(found.is_forbidden());
}

#[test]
fn a_connection_is_of_who_bound_its_listener() {
    let accepted = |pid| Obstacle::Handed { process: process(pid, "x"), sign: Sign::Accepted };
    let listener = || holder(71, &[8]);
    // Another tree was handed the connection, together with the listener's tree or alone; 9 is in the listener's tree.
    for holders in [&[8, 9, 11][..], &[11]] {
        let found = made(&[connection(72, 8080, holders), listener()]);
        assert_eq!(found.obstacles, [accepted(11)]);
        assert_eq!(pids(&found), if holders.len() > 1 { vec![8, 9] } else { vec![8] });
        assert!(!found.is_forbidden());
    }
    // Only a child of the listener has the connection open.
    assert_eq!(pids(&made(&[listener(), connection(72, 8080, &[9])])), [8, 9]);
    // Two listeners of two trees: each tree bound its own, and either may have accepted the connection.
    let both = [listener(), holder(73, &[11]), connection(72, 8080, &[11])];
    assert_eq!((pids(&made(&both)), made(&both).obstacles), (vec![8, 11], vec![]));
    // No listener is left, the listener has another address, or its binder is unknown.
    assert_eq!(pids(&made(&[connection(72, 8080, &[11])])), [11]);
    let elsewhere = Holder { address: "192.0.2.8".parse().unwrap(), ..listener() };
    assert_eq!(pids(&made(&[elsewhere, connection(72, 8080, &[11])])), [8, 11]);
    assert!(made(&[holder(71, &[8, 12]), connection(72, 8080, &[11])]).is_forbidden());
}

#[test]
fn a_socket_unit_is_stopped_by_its_manager() {
    let manager = |process: &Process| {
        (process.pid == 1).then(|| Manager::Unit { user: None, unit: "web.socket".to_owned() })
    };
    let surroundings = Surroundings {
        own: &[],
        ephemeral: None,
        manager: &manager,
        standing: &standing,
        process: &|_| None,
        cgroup: &|_| None,
    };
    let found = plan(&[holder(70, &[1, 8])], &surroundings);
    assert_eq!(
        found.command().map(|command| command.to_string()).as_deref(),
        Some("systemctl stop -- web.socket")
    );
    assert!(found.is_forbidden() && found.targets.is_empty() && found.obstacles.len() == 1);
}

#[test]
fn units_are_stopped_by_one_command() {
    let found = made(&[holder(70, &[900]), holder(71, &[901])]);
    let expected =
        "systemctl stop -- u900.service && systemctl --user --machine=1001@.host stop -- u901.service";
    assert_eq!(found.command().map(|command| command.to_string()).as_deref(), Some(expected));
    let made_up = made(&[holder(70, &[900]), holder(71, &[999])]);
    assert_eq!((made_up.command(), made_up.obstacles.len()), (None, 2));
    assert_eq!(made(&[holder(70, &[8])]).command(), None);
}
