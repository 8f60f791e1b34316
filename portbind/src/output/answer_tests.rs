//! The exact text of answers.

use std::rc::Rc;

use insta::assert_snapshot;
use jiff::SignedDuration;
use serde_json::Value;

use super::answer::Answer;
use super::{Format, Printer, Style};
use crate::diagnosis::freeing::binder::Sign;
use crate::diagnosis::freeing::{Obstacle, Plan, Target};
use crate::diagnosis::manager::Manager;
use crate::diagnosis::stop_signal::StopSignal;
use crate::diagnosis::unix::Object;
use crate::event::{HolderProcess, Name, Ownership, Process, Protocol, State, samples};
use crate::ports::{Check, Freed, Outcome, PortOrName, Request, Stage, Stopped, Unseen, Until, Wait, Who};
use crate::wire::{answer as json, json_schema};

fn request(target: PortOrName) -> Request {
    Request { target, protocol: Some(Protocol::Tcp), netns: 7, netns_name: Some("blue\n".to_owned()) }
}

fn who() -> Who {
    let refusal = samples::time_wait();
    let bound = crate::event::Holder {
        state: State::Bound,
        ownership: Ownership::Process,
        ..samples::held_by_java()
    };
    let mut holders = vec![samples::held_by_java(), bound];
    holders.extend(refusal.holders.into_iter().take(1));
    for owner in holders.iter_mut().flat_map(|holder| &mut holder.processes) {
        Rc::make_mut(&mut owner.process).started = Some("2026-11-23T12:02:18Z".parse().unwrap());
    }
    Who {
        time: refusal.time,
        request: request(PortOrName::Port(8080)),
        holders,
        object: None,
        unseen: Unseen::default(),
    }
}

fn check() -> Check {
    let refusal = samples::listener();
    Check {
        time: refusal.time,
        socket: refusal.socket.clone(),
        holders: Vec::new(),
        refusal: Some(refusal),
        as_expected: false,
        warnings: Vec::new(),
        unseen: Unseen { processes: 3, bound_sockets: true },
    }
}

fn wait() -> Wait {
    let refusal = samples::listener();
    Wait {
        time: refusal.time,
        until: Until::Free,
        reached: true,
        waited: SignedDuration::from_millis(1234),
        socket: refusal.socket,
        holders: refusal.holders,
        hopeless: None,
        unseen: Unseen::default(),
    }
}

fn freed() -> Freed {
    let refusal = samples::time_wait();
    let java = Rc::clone(&samples::held_by_java().processes[0].process);
    let systemd = Rc::new(Process { pid: 1, comm: "systemd".to_owned(), ..Process::default() });
    let manager = Manager::Unit { user: None, unit: "web.socket".to_owned() };
    Freed {
        time: refusal.time,
        request: request(PortOrName::Port(8080)),
        stage: Stage::Done,
        is_free: false,
        plan: Plan {
            targets: vec![Target { process: Rc::clone(&java), inodes: vec![53719], ends_with: None }],
            obstacles: vec![Obstacle::Managed { process: systemd, manager }],
            clients: Vec::new(),
        },
        stopped: vec![Stopped { process: java, outcome: Outcome::Killed, signal: StopSignal::Terminate }],
        holders: vec![samples::held_by_java()],
        refusal: Some(refusal),
        cause: None,
        unseen: Unseen::default(),
    }
}

fn written(answer: &Answer<'_>, format: Format) -> String {
    let mut printer = Printer::new(format, Style::default(), Vec::new());
    printer.document(answer).unwrap();
    String::from_utf8(printer.into_inner()).unwrap()
}

fn text(answer: &Answer<'_>) -> String {
    written(answer, Format::Text)
}

#[test]
fn text_of_who() {
    assert_snapshot!(text(&Answer::Who(&who())), @r#"
    tcp port 8080 of network namespace "blue\n"
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   up 2m13s   uid ci   gradle → java
      held by   java (47990)  BOUND 0.0.0.0:8080   fd 7   up 2m13s   uid ci   gradle → java
                bound only: it neither listens nor is connected, and lsof and /proc do not show it
      held by   TIME-WAIT 127.0.0.1:8080 ↔ 127.0.0.1:51234   ends in 59.9s   (no process: TIME_WAIT has no owner)
    "#);
    let name = PortOrName::Name(Name::Path(b"/run/::x".to_vec()));
    let nobody = |object| {
        let who = Who { request: request(name.clone()), holders: Vec::new(), object: Some(object), ..who() };
        text(&Answer::Who(&who))
    };
    let live = nobody(Object::LiveSocket);
    assert_snapshot!(live, @r#"unix /run/:\x3ax of network namespace "blue\n": a socket is bound to it; which one could not be found"#);
    assert_snapshot!(nobody(Object::StaleSocket), @r#"
    unix /run/:\x3ax of network namespace "blue\n": a socket file that no socket is bound to; portbind free removes it
    "#);
}

#[test]
fn text_of_check() {
    assert_snapshot!(text(&Answer::Check(&check())), @r"
    bind tcp 0.0.0.0:8080  →  EADDRINUSE
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
      note      this is what the kernel did; its rule, and the sockets that could be seen, had led to expect otherwise
    ");
    let free = Check { refusal: None, as_expected: true, holders: who().holders, ..check() };
    assert_snapshot!(text(&Answer::Check(&free)), @r"
    bind tcp 0.0.0.0:8080  →  would succeed
      also on the port: 3 sockets that do not conflict
    ");
}

#[test]
fn text_of_wait() {
    assert_snapshot!(text(&Answer::Wait(&wait())), @r"
    tcp 0.0.0.0:8080  →  free after 1.234s
      before    java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   gradle → java
    ");
    let in_vain = Wait { until: Until::Listening, reached: false, holders: Vec::new(), ..wait() };
    assert_snapshot!(text(&Answer::Wait(&in_vain)), @r"
    tcp 0.0.0.0:8080  →  nobody listens after 1.234s
    ");
}

#[test]
fn text_of_free() {
    assert_snapshot!(text(&Answer::Freed(&freed())), @r#"
    tcp port 8080 of network namespace "blue\n"  →  not free
      killed    java (47990)  SIGTERM did not end it in time, SIGKILL did
      kept      systemd (1)  systemd itself listens for web.socket
      fix       stop web.socket, for which systemd itself listens: systemctl stop -- web.socket
      held by   TIME-WAIT 127.0.0.1:8080 ↔ 127.0.0.1:51234   ends in 59.9s   (no process: TIME_WAIT has no owner)
      held by   TIME-WAIT 127.0.0.1:8080 ↔ 127.0.0.1:51235   ends in 0.0s   (no process: TIME_WAIT has no owner)
      held by   FIN-WAIT-1 127.0.0.1:8080 ↔ 127.0.0.1:51236   (no process: its owner closed it, the kernel is finishing the connection)
      held by   ESTABLISHED 127.0.0.1:8080 ↔ 127.0.0.1:51237   (no process yet: the connection waits for the listener to accept it)
      held by   LISTEN 127.0.0.1:8080   (no process: opened by the kernel itself)
      why       connections that were closed a moment ago still occupy the port        [time-wait]
    "#);
    let outcomes = [
        (Outcome::Ended, StopSignal::Interrupt, "it ended after SIGINT"),
        (Outcome::EndedWith, StopSignal::Terminate, "it ended with the process that started it"),
        (Outcome::StillRuns, StopSignal::Interrupt, "is not killed: pg_ctl stop"),
    ];
    for (outcome, signal, expected) in outcomes {
        let postgres = Rc::new(Process { pid: 7, comm: "postgres".to_owned(), ..Process::default() });
        let stopped = vec![Stopped { process: postgres, outcome, signal }];
        let said = text(&Answer::Freed(&Freed { stopped, ..freed() }));
        assert!(said.contains(expected), "{said}");
    }
    let planned = Freed {
        stage: Stage::Planned,
        plan: Plan { obstacles: Vec::new(), ..freed().plan },
        stopped: Vec::new(),
        ..freed()
    };
    assert_snapshot!(text(&Answer::Freed(&planned)), @r#"
    tcp port 8080 of network namespace "blue\n"  →  1 process would be stopped
      stop      java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   gradle → java
    "#);
    let mut with_master = planned;
    let master = Rc::new(Process { pid: 7, comm: "haproxy".to_owned(), ..Process::default() });
    with_master.plan.targets[0].ends_with = Some(7);
    with_master.plan.targets.insert(0, Target { process: master, inodes: Vec::new(), ends_with: None });
    assert_snapshot!(text(&Answer::Freed(&with_master)), @r#"
    tcp port 8080 of network namespace "blue\n"  →  1 process would be stopped, 1 more ends with it
      stop      haproxy (7)  has no socket on the port, and started the processes that have
      with it   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   gradle → java
    "#);
}

#[test]
fn every_line_of_json_is_of_the_schema_and_comes_back() {
    let schema = jsonschema::validator_for(json_schema().as_value()).unwrap();
    for (kind, answer) in [
        ("who", Answer::Who(&who())),
        ("check", Answer::Check(&check())),
        ("wait", Answer::Wait(&wait())),
        ("free", Answer::Freed(&freed())),
    ] {
        let value: Value = serde_json::from_str(&written(&answer, Format::Json)).unwrap();
        assert_eq!(value["kind"], kind);
        assert!(schema.is_valid(&value), "{kind}: {value}");
    }
    let line = written(&Answer::Freed(&freed()), Format::Json);
    let back: json::Freed<'_> = serde_json::from_str(&line).unwrap();
    assert_eq!(back, json::Freed::from(&freed()));
}

#[test]
fn who_is_left_alone_is_listed() {
    let java = Rc::clone(&samples::held_by_java().processes[0].process);
    let one = |sign| Obstacle::Handed { process: Rc::clone(&java), sign };
    let obstacles = vec![one(Sign::User(1000)), one(Sign::Cgroup), one(Sign::Accepted)];
    let handed = Freed { plan: Plan { obstacles, ..Plan::default() }, ..freed() };
    let said = text(&Answer::Freed(&handed));
    for part in [
        "uid 1000 made the socket",
        "made in another control group",
        "not of the process tree",
        "the port stays taken",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let many = vec![Obstacle::Undecided(Rc::clone(&java)); 20];
    let undecided = Freed { plan: Plan { obstacles: many, ..Plan::default() }, ..freed() };
    let said = text(&Answer::Freed(&undecided));
    for part in ["that cannot be decided", "and 4 more", "nobody is stopped"] {
        assert!(said.contains(part), "{said}");
    }
    let line = serde_json::to_value(json::Freed::from(&handed)).unwrap();
    assert_eq!(line["obstacles"][1]["reason"], "handed");
    let line = serde_json::to_value(json::Freed::from(&undecided)).unwrap();
    assert_eq!(line["obstacles"][0]["reason"], "undecided");
}

#[test]
fn a_plan_shows_who_is_stopped_and_who_is_left() {
    let mut holder = samples::held_by_java();
    let java = Rc::clone(&holder.processes[0].process);
    let other = Rc::new(Process { pid: 7, comm: "innocent".to_owned(), ..Process::default() });
    let copy = HolderProcess { process: Rc::clone(&other), ..holder.processes[0].clone() };
    holder.processes.push(copy);
    let plan = Plan {
        targets: vec![Target { process: java, inodes: vec![53719], ends_with: None }],
        obstacles: vec![Obstacle::Handed { process: other, sign: Sign::User(1000) }],
        clients: Vec::new(),
    };
    let planned = Freed {
        stage: Stage::Planned,
        plan,
        holders: vec![holder],
        stopped: Vec::new(),
        refusal: None,
        ..freed()
    };
    let said = text(&Answer::Freed(&planned));
    let word = |name: &str| {
        let line = said.lines().find(|line| line.contains(name)).unwrap_or_default();
        line.split_whitespace().next().map(str::to_owned)
    };
    assert_eq!(
        (word("java ("), word("innocent (")),
        (Some("stop".to_owned()), Some("leave".to_owned())),
        "{said}"
    );
}
