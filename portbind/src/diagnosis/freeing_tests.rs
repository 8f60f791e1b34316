use super::*;
use crate::diagnosis::event::{HolderProcess, State};
use crate::output::samples;

fn process(pid: u32, comm: &str) -> Rc<Process> {
    Rc::new(Process { pid, comm: comm.to_owned(), ..Process::default() })
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

/// The unit of a process; 999 has one that its user made up.
fn unit(pid: u32) -> String {
    if pid == 999 { "u@$(id).service".to_owned() } else { format!("u{pid}.service") }
}

fn made(holders: &[Holder]) -> Plan {
    let manager = |process: &Process| {
        (process.pid >= 900)
            .then(|| Manager { user: (process.pid > 900).then_some(1001), unit: unit(process.pid) })
    };
    plan(holders, &Surroundings { own: &[50, 40], ephemeral: Some((32_768, 60_999)), manager: &manager })
}

fn pids(plan: &Plan) -> Vec<u32> {
    plan.targets.iter().map(|target| target.process.pid).collect()
}

#[test]
fn a_family_is_stopped_whole_and_clients_are_not() {
    let found = made(&[holder(70, &[9, 8]), holder(71, &[8]), connection(72, 8080, &[7])]);
    assert_eq!(pids(&found), [7, 8, 9]);
    assert_eq!(found.targets[1].inodes, [70, 71]);
    assert!(found.obstacles.is_empty() && found.clients.is_empty());
    let found = made(&[connection(72, 40_000, &[7])]);
    assert_eq!((pids(&found), found.clients.len()), (vec![], 1));
}

#[test]
fn obstacles_are_told() {
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
fn units_are_stopped_by_one_command() {
    let found = made(&[holder(70, &[900, 901]), holder(71, &[900])]);
    let expected =
        "systemctl stop -- u900.service && systemctl --user --machine=1001@.host stop -- u901.service";
    assert_eq!(found.command().map(|command| command.to_string()).as_deref(), Some(expected));
    let made_up = made(&[holder(70, &[900, 999])]);
    assert_eq!((made_up.command(), made_up.obstacles.len()), (None, 2));
    assert_eq!(made(&[holder(70, &[8])]).command(), None);
}
