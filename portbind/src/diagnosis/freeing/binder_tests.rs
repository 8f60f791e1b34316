use proptest::prelude::*;

use super::*;
use crate::event::Ancestor;

/// A process with the socket as descriptor 3; `above` has the pids of its ancestors, nearest first.
fn owner(pid: u32, above: &[u32], args: &[&str]) -> HolderProcess {
    let ancestors = above.iter().map(|&pid| Ancestor::new(pid, String::new())).collect();
    let args = args.iter().map(|&word| word.to_owned()).collect();
    let process = Process { pid, ancestors, args, exe: Some("/bin/server".to_owned()), ..Process::default() };
    HolderProcess { process: Rc::new(process), fds: vec![3], close_on_exec: None }
}

fn standing(uid: u32, cgroups: &[u64]) -> Standing {
    Standing { uids: vec![uid], session: Some(9), cgroups: cgroups.to_vec(), ..Standing::default() }
}

fn orphaned(standing: Standing) -> Standing {
    Standing { is_orphan: true, ..standing }
}

const ROOTS: Origin = Origin { uid: Some(0), cgroup: Some(5) };
const USERS: Origin = Origin { uid: Some(1000), cgroup: Some(5) };

/// The pids of the binders, of the processes that were handed the socket, and of the undecided ones.
fn decided(origin: &Origin, people: &[(HolderProcess, Standing)]) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let members: Vec<Member<'_>> =
        people.iter().map(|(owner, standing)| Member { owner, standing: standing.clone() }).collect();
    let Decision { binders, handed, undecided } = decide(origin, &members);
    let pids = |indices: Vec<usize>| indices.into_iter().map(|index| members[index].process().pid).collect();
    (pids(binders), pids(handed.into_iter().map(|(index, _)| index).collect()), pids(undecided))
}

#[test]
fn a_sole_tree_is_the_owner_whatever_its_user() {
    // dnsmasq, haproxy: bind as root, then drop privileges.
    let alone = [(owner(10, &[1], &["d"]), standing(65_534, &[5, 1]))];
    assert_eq!(decided(&ROOTS, &alone), (vec![10], vec![], vec![]));
    // nginx: the master stays root.
    let master = [
        (owner(10, &[1], &["master"]), standing(0, &[5, 1])),
        (owner(11, &[10, 1], &["worker"]), standing(33, &[5, 1])),
        (owner(12, &[10, 1], &["worker"]), standing(33, &[5, 1])),
        (owner(13, &[12, 10, 1], &["cgi"]), standing(33, &[5, 1])),
    ];
    assert_eq!(decided(&ROOTS, &master), (vec![10, 11, 12, 13], vec![], vec![]));
}

#[test]
fn orphans_of_one_master_are_one_tree() {
    let worker = |pid: u32| (owner(pid, &[2, 1], &["worker"]), standing(33, &[5, 1]));
    // Their parent lives and does not have the socket: one of them bound it, and may have handed it to the other.
    let siblings = [worker(11), worker(12)];
    assert_eq!(decided(&ROOTS, &siblings), (vec![], vec![], vec![11, 12]));
    let orphans = siblings.map(|(owner, standing)| (owner, orphaned(standing)));
    assert_eq!(decided(&ROOTS, &orphans), (vec![11, 12], vec![], vec![]));
    // A process forked by the living parent is not one of the orphans.
    let mixed = [orphans[0].clone(), worker(12)];
    assert_eq!(decided(&ROOTS, &mixed), (vec![], vec![], vec![11, 12]));
}

#[test]
fn a_control_group_alone_decides_against_nobody() {
    let receiver = |uid: u32| (owner(10, &[1], &["a"]), standing(uid, &[5, 1]));
    let moved = |uid: u32| (owner(20, &[1], &["a"]), standing(uid, &[7, 1]));
    // The binder was moved, and may also have changed its user.
    for (origin, receiver, moved) in [
        (&ROOTS, receiver(0), moved(0)),
        (&ROOTS, receiver(1501), moved(0)),
        (&ROOTS, receiver(1501), moved(1500)),
        (&ROOTS, receiver(0), moved(1500)),
        (&USERS, receiver(1000), moved(1000)),
    ] {
        let both = [receiver, moved];
        assert_eq!(decided(origin, &both), (vec![], vec![], vec![10, 20]), "{both:?}");
    }
    // The user excludes the receiver, and the cgroup excludes the moved process.
    assert_eq!(decided(&USERS, &[receiver(0), moved(1000)]), (vec![], vec![10, 20], vec![]));
    // A supervisor in its own cgroup, its child that bound the socket in another one, and a grandchild that was moved.
    let supervisor = (owner(9, &[1], &["s"]), standing(0, &[7, 1]));
    let child = (owner(10, &[9, 1], &["a"]), standing(0, &[5, 1]));
    let grandchild = (owner(11, &[10, 9, 1], &["b"]), standing(0, &[8, 1]));
    assert_eq!(decided(&ROOTS, &[supervisor.clone(), child, grandchild]), (vec![10], vec![9, 11], vec![]));
    // Two children: the supervisor that joins them into one tree may itself have been handed the socket.
    let children = [10, 12].map(|pid| (owner(pid, &[9, 1], &["a"]), standing(0, &[5, 1])));
    let [one, other] = children;
    assert_eq!(decided(&ROOTS, &[supervisor, one, other]), (vec![], vec![], vec![10, 12, 9]));
}

#[test]
fn who_was_handed_the_socket_is_not_stopped() {
    let binder = (owner(10, &[1], &["a"]), standing(1000, &[5, 1]));
    let root = (owner(20, &[1], &["b"]), standing(0, &[5, 1]));
    let other = (owner(30, &[1], &["a"]), standing(1001, &[5, 1]));
    assert_eq!(decided(&USERS, &[binder, root.clone(), other.clone()]), (vec![10], vec![20, 30], vec![]));
    // The binder has ended.
    assert_eq!(decided(&USERS, &[root, other]), (vec![], vec![20, 30], vec![]));
    // A CI agent, the parent of the job that hands it the socket.
    let agent = (owner(9, &[1], &["agent"]), standing(0, &[5, 1]));
    let job = (owner(10, &[9, 1], &["a"]), standing(1000, &[5, 1]));
    assert_eq!(decided(&USERS, &[agent, job]), (vec![10], vec![9], vec![]));
    // One container handed the socket to another one and has ended.
    let elsewhere = (owner(40, &[1], &["c"]), standing(1000, &[7, 1]));
    assert_eq!(decided(&USERS, &[elsewhere]), (vec![], vec![40], vec![]));
}

#[test]
fn an_undecided_owner_stops_nobody() {
    let standing = |uid: u32, cgroups: &[u64]| orphaned(standing(uid, cgroups));
    let one = (owner(10, &[2, 1], &["a"]), standing(0, &[5, 1]));
    let rows = [
        // Another program, started by the same script.
        (owner(11, &[2, 1], &["b"]), standing(0, &[5, 1])),
        // The same program with another parent, session, user or cgroup.
        (owner(11, &[3, 1], &["a"]), standing(0, &[5, 1])),
        (owner(11, &[2, 1], &["a"]), Standing { session: Some(8), ..standing(0, &[5, 1]) }),
        (owner(11, &[2, 1], &["a"]), standing(7, &[5, 1])),
        (owner(11, &[2, 1], &["a"]), standing(0, &[6, 5, 1])),
        // Another descriptor number: the process did not get the socket by fork.
        (HolderProcess { fds: vec![4], ..owner(11, &[2, 1], &["a"]) }, standing(0, &[5, 1])),
        // Process 1 is an ancestor of every process, and can also be handed the socket.
        (owner(1, &[], &["init"]), standing(0, &[5, 1])),
        // No details of the process can be read.
        (owner(11, &[], &[]), Standing::default()),
    ];
    for other in rows {
        let pid = other.0.process.pid;
        assert_eq!(decided(&ROOTS, &[one.clone(), other]), (vec![], vec![], vec![10, pid]));
    }
}

#[test]
fn a_user_namespace_has_users_of_its_own() {
    let origin = Origin { uid: Some(100_000), cgroup: None };
    let dropped = Standing { namespace_root: Some(100_000), ..standing(100_033, &[]) };
    assert_eq!(origin.sign(&dropped), None);
    assert_eq!(origin.sign(&standing(100_033, &[])), Some(Sign::User(100_000)));
    // A user other than the namespace's root; and a namespace that maps every user: a sandbox made by root.
    let other = Origin { uid: Some(100_034), cgroup: None };
    assert_eq!(other.sign(&dropped), Some(Sign::User(100_034)));
    let sandbox = Standing { namespace_root: Some(0), ..standing(0, &[]) };
    assert_eq!(USERS.sign(&sandbox), Some(Sign::User(1000)));
    assert_eq!(Origin::default().sign(&Standing::default()), None);
}

/// A set of processes: which process forked which, and what each inherited or changed.
#[derive(Clone, Debug)]
struct World {
    people: Vec<(HolderProcess, Standing)>,
    origin: Origin,
    /// Pids of the process that bound the socket and of its descendants.
    family: Vec<u32>,
}

/// The binder is process 10, its descendants are 11 and up. The processes from 100 up were handed the socket: they run
/// as other users, in other cgroups, or as the binder's user in separate trees. The binder's tree may have been moved
/// since.
fn world() -> impl Strategy<Value = World> {
    let users = prop::sample::select(vec![0_u32, 33, 1000, 1001]);
    let cgroups = prop::sample::select(vec![vec![5_u64, 1], vec![6, 5, 1], vec![7, 1], vec![]]);
    let stranger = (users.clone(), cgroups, 0_usize..5, 3_u32..6, prop::bool::ANY);
    let heirs = prop::collection::vec((0_usize..4, prop::bool::ANY), 0..4);
    let strangers = prop::collection::vec(stranger, 0..5);
    let fates = prop::sample::select(vec![(false, 5), (false, 7), (true, 5)]);
    (users, heirs, strangers, fates).prop_map(|(uid, heirs, strangers, (has_ended, cgroup))| {
        let origin = Origin { uid: Some(uid), cgroup: Some(5) };
        let mut people = vec![(owner(10, &[2, 1], &["a"]), standing(uid, &[cgroup, 1]))];
        for (number, (parent, changes_user)) in (11..).zip(heirs) {
            let parent = &people[parent % people.len()].0.process;
            let above: Vec<u32> = std::iter::once(parent.pid)
                .chain(parent.ancestors.iter().map(|ancestor| ancestor.pid))
                .collect();
            let user = if changes_user && uid == 0 { 33 } else { uid };
            people.push((owner(number, &above, &["a"]), standing(user, &[cgroup, 1])));
        }
        let family = people.iter().map(|(owner, _)| owner.process.pid).collect();
        if has_ended {
            people.clear();
        }
        for (number, (uid, cgroups, below, fd, is_alike)) in (100_u32..).zip(strangers) {
            // A child of any other stranger, of process 1, or of the binder's parent.
            let parent = people.get(below).map(|(owner, _)| owner.process.pid).filter(|&pid| pid >= 100);
            let parent = parent.or((below == 4).then_some(2));
            let above: Vec<u32> = parent.into_iter().chain([1]).collect();
            let args = if is_alike { ["a"] } else { ["b"] };
            let open = HolderProcess { fds: vec![fd], ..owner(number, &above, &args) };
            let standing = Standing { is_orphan: parent.is_none(), ..standing(uid, &cgroups) };
            people.push((open, standing));
        }
        World { people, origin, family }
    })
}

proptest! {
    /// While the binder lives, no process outside its tree is stopped.
    #[test]
    fn nobody_outside_of_the_binders_tree_is_stopped(world in world()) {
        let (binders, handed, undecided) = decided(&world.origin, &world.people);
        if world.people.iter().any(|(owner, _)| owner.process.pid == 10) {
            for pid in &binders {
                prop_assert!(world.family.contains(pid), "{pid} of {world:?}");
            }
        }
        // Every process is in exactly one group, and a decision is all or nothing.
        prop_assert_eq!(binders.len() + handed.len() + undecided.len(), world.people.len());
        prop_assert!(binders.is_empty() || undecided.is_empty());
    }

    /// Whether or not the binder lives, an unprivileged user cannot cause a process to be stopped that it could not
    /// signal.
    #[test]
    fn a_user_gains_nothing(world in world()) {
        let Some(uid) = world.origin.uid.filter(|&uid| uid != 0) else { return Ok(()) };
        for pid in decided(&world.origin, &world.people).0 {
            let (_, standing) = world.people.iter().find(|(owner, _)| owner.process.pid == pid).unwrap();
            prop_assert!(standing.uids.contains(&uid), "{pid} of {world:?}");
        }
    }
}
