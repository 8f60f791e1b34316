use std::rc::Rc;

use super::*;
use crate::event::HolderProcess;
use crate::event::samples::held_by_java;

const PYTHON: &str = "/usr/bin/python3.11";

/// A process: pid, executable, arguments, working folder, pids of the ancestors (all called bash, except 1).
fn process(pid: u32, exe: &str, args: &[&str], cwd: &str, above: &[u32]) -> Process {
    let at = |second: u32| format!("2026-11-23T12:{second:02}:00Z").parse().unwrap();
    let name = |pid: u32| if pid == 1 { "systemd" } else { "bash" };
    Process {
        pid,
        comm: exe.rsplit('/').next().unwrap().to_owned(),
        exe: Some(exe.to_owned()),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        cwd: Some(cwd.to_owned()),
        started: Some(at(pid % 60)),
        ancestors: above.iter().map(|&pid| Ancestor::new(pid, name(pid).to_owned())).collect(),
        ..Process::default()
    }
}

fn held_by(owner: Process) -> Holder {
    let processes = vec![HolderProcess::new(Rc::new(owner), vec![3])];
    Holder { processes, opened_by: None, ..held_by_java() }
}

fn related(caller: &Process, owner: Process) -> Option<(&'static str, String)> {
    relate(caller, &[held_by(owner)]).map(|relation| (relation.code.as_str(), relation.text))
}

fn code(caller: &Process, owner: Process) -> Option<&'static str> {
    related(caller, owner).map(|(code, _)| code)
}

#[test]
fn relations_are_recognized() {
    let app = ["python3", "app.py"];
    let caller = process(20, PYTHON, &app, "/srv/a", &[15, 7, 1]);
    assert_eq!(code(&caller, process(15, PYTHON, &app, "/srv/a", &[7, 1])), Some("ancestor"));
    assert_eq!(
        code(&caller, process(30, PYTHON, &["python3", "x.py"], "/srv/a", &[20, 15, 7, 1])),
        Some("descendant")
    );
    assert_eq!(
        code(&caller, process(18, PYTHON, &["python3", "b.py"], "/srv/a", &[15, 7, 1])),
        Some("sibling")
    );
    assert_eq!(code(&caller, process(12, PYTHON, &app, "/srv/a", &[15, 7, 1])), Some("earlier-run"));
    assert_eq!(code(&caller, process(12, PYTHON, &app, "/srv/b", &[9, 1])), Some("other-folder"));
    assert_eq!(code(&caller, process(12, "/usr/bin/java", &["java", "X"], "/srv/b", &[9, 1])), None);
    // One program started both.
    let by = |starter: &str, above: &[u32]| {
        let mut one = process(20, PYTHON, &app, "/srv/a", above);
        one.ancestors
            .iter_mut()
            .filter(|ancestor| ancestor.pid == 7)
            .for_each(|above| above.comm = starter.to_owned());
        one
    };
    assert_eq!(code(&by("make", &[7, 1]), process(12, PYTHON, &app, "/srv/a", &[7, 1])), Some("sibling"));
    assert_eq!(
        code(&by("honcho", &[15, 7, 1]), process(12, PYTHON, &app, "/srv/a", &[14, 7, 1])),
        Some("sibling")
    );
    assert_eq!(
        code(&by("tmux", &[15, 7, 1]), process(12, PYTHON, &app, "/srv/a", &[14, 7, 1])),
        Some("earlier-run")
    );
    // The holder started later than the refused process.
    assert_eq!(code(&caller, process(25, PYTHON, &app, "/srv/a", &[9, 1])), None);
}

#[test]
fn the_sentence_describes_the_holder() {
    let app = ["python3", "app.py"];
    let caller = process(20, PYTHON, &app, "/srv/a", &[15, 7, 1]);
    let (_, text) = related(&caller, process(15, PYTHON, &app, "/srv/a", &[7, 1])).unwrap();
    assert_eq!(text, "python app.py (15) is the parent of the refused process");
    let (_, text) = related(&caller, process(12, PYTHON, &app, "/srv/a", &[1])).unwrap();
    let ended = "is an earlier run of the same command, and the process that started it has ended";
    assert_eq!(text, format!("python app.py (12) {ended}"));
    let (_, text) = related(&caller, process(12, PYTHON, &app, "/srv/b; rm -rf /", &[9, 1])).unwrap();
    assert!(text.contains("the folder \"/srv/b; rm -rf /\""), "{text}");
}

#[test]
fn workers_of_one_master_are_recognized() {
    let worker = |pid| Process {
        ancestors: vec![Ancestor::new(9, "nginx".to_owned())],
        ..process(pid, "/usr/sbin/nginx", &["nginx: worker process"], "/", &[])
    };
    assert_eq!(code(&worker(20), worker(21)), Some("worker"));
}

#[test]
fn children_of_a_dead_process_are_left_over() {
    let caller = process(20, PYTHON, &["python3", "app.py"], "/srv/a", &[7, 1]);
    let now = process(12, "/usr/bin/java", &["java", "X"], "/srv/a", &[1]);
    let then = process(12, "/usr/bin/java", &["java", "X"], "/srv/a", &[11, 1]);
    let holder = Holder { opened_by: Some(Rc::new(then)), ..held_by(now) };
    let relation = relate(&caller, &[holder]).unwrap();
    assert_eq!(relation.code, RelationCode::LeftOver);
    assert_eq!(relation.text, "java X (12) is left over from bash (11), which has ended");
}

#[test]
fn the_caller_itself_is_no_relation() {
    let caller = process(20, PYTHON, &["python3", "app.py"], "/srv/a", &[7, 1]);
    assert_eq!(code(&caller, caller.clone()), None);
}

#[test]
fn a_script_runs_again_with_other_options() {
    let run = |pid, args: &[&str]| process(pid, PYTHON, args, "/srv/a", &[pid - 5, 1]);
    let caller = run(30, &["python3", "manage.py", "runserver", "--noreload"]);
    let again =
        |args: &[&str]| related(&caller, run(20, args)).map(|(_, text)| text.contains("of the same program"));
    assert_eq!(again(&["python3", "manage.py", "runserver"]), Some(true));
    assert_eq!(again(&["/usr/bin/python3", "/srv/a/manage.py", "runserver"]), Some(true));
    assert_eq!(again(&["/usr/bin/python3", "manage.py", "runserver", "--noreload"]), Some(false));
    // Another command of the same script, and other options of the interpreter.
    assert_eq!(again(&["python3", "manage.py", "worker"]), None);
    assert_eq!(again(&["python3", "-O", "manage.py", "runserver"]), None);
    assert_eq!(again(&["manage.py", "manage.py"]), None);
    // Two workers of one program that is no shell.
    let worker = |pid, started: &str| {
        let mut worker = process(pid, PYTHON, &["python3", "-c", "x"], "/srv/a", &[9, 1]);
        worker.ancestors[0].comm = "pytest".to_owned();
        worker.started = Some(started.parse().unwrap());
        worker
    };
    let late = worker(30, "2026-11-23T12:00:09Z");
    assert_eq!(code(&late, worker(20, "2026-11-23T12:00:01Z")), Some("worker"));
    assert_eq!(code(&late, worker(20, "2026-11-23T11:59:01Z")), Some("earlier-run"));
}
