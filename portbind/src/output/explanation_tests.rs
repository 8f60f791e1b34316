//! The exact text of explanations and comparisons.

use insta::assert_snapshot;
use jiff::civil::date;
use jiff::tz::TimeZone;

use super::comparison::Comparison;
use super::{Document, Format, Printer, Style};
use crate::diagnosis::comparison::Side;
use crate::event::samples;
use crate::log_errors::{Clock, Complaint, Finder, Joiner, Match, Reason};
use crate::recording::fingerprint;
use crate::wire::{Refusal, comparison as lines, explanation as line, json_schema};

fn complaints(log: &str) -> Vec<Complaint> {
    let mut finder = Finder::new(Clock { zone: TimeZone::UTC, today: date(2026, 11, 23) });
    let mut found: Vec<_> = log.lines().filter_map(|line| finder.line(line.as_bytes())).collect();
    found.extend(finder.finish());
    found
}

/// Joins the log with recorded refusals.
fn joined(log: &str, refusals: &[crate::event::Refusal]) -> Vec<Match> {
    let mut joiner = Joiner::new(complaints(log));
    for refusal in refusals {
        // Parsed again as from a file, so that the refusal borrows nothing.
        let line = serde_json::to_string(&Refusal::from(refusal)).unwrap();
        joiner.show(serde_json::from_str(&line).unwrap());
    }
    joiner.finish().collect()
}

fn text_in(style: &Style, joints: &[Match]) -> String {
    let mut printer = Printer::new(Format::Text, style.clone(), Vec::new());
    for matched in joints {
        printer.document(matched).unwrap();
    }
    String::from_utf8(printer.into_inner()).unwrap()
}

fn json_of(document: &dyn Document) -> String {
    let mut printer = Printer::new(Format::Json, Style::default(), Vec::new());
    printer.document(document).unwrap();
    String::from_utf8(printer.into_inner()).unwrap()
}

fn text(joints: &[Match]) -> String {
    text_in(&Style::default(), joints)
}

fn alone(log: &str) -> String {
    let joints: Vec<_> = complaints(log)
        .into_iter()
        .map(|complaint| Match { complaint, join: Err(Reason::NoRecording) })
        .collect();
    text(&joints)
}

#[test]
fn text_of_a_line_alone() {
    assert_snapshot!(alone("Nov 23 12:04:31 b sshd[812]: error: Bind to port 22 on :: failed: Address already in use."), @r"
    line 1: Nov 23 12:04:31 b sshd[812]: error: Bind to port 22 on :: failed: Address already in use.
      says      sshd (812) was refused tcp [::]:22, in the words of OpenSSH sshd
      next      while the port is held, this shows the holder: portbind who 22
      or        next time, portbind run --record FILE -- COMMAND records who holds it at that instant
    ");
    assert_snapshot!(alone("E   OSError: [Errno 98] Address already in use"), @r"
    line 1: E   OSError: [Errno 98] Address already in use
      says      a program was refused an address that the log does not name, in the words of Python
      next      next time, portbind run --record FILE -- COMMAND records who holds it at that instant
    ");
    assert_snapshot!(alone("Error: listen EADDRINUSE: address already in use /run/app.sock"), @r"
    line 1: Error: listen EADDRINUSE: address already in use /run/app.sock
      says      a program was refused /run/app.sock, in the words of Node.js
      next      while the port is held, this shows the holder: portbind who '/run/app.sock'
      or        next time, portbind run --record FILE -- COMMAND records who holds it at that instant
    ");
}

#[test]
fn text_of_a_port_that_docker_has_given_away() {
    assert_snapshot!(alone("Error response from daemon: Bind for 0.0.0.0:5432 failed: port is already allocated"), @r"
    line 1: Error response from daemon: Bind for 0.0.0.0:5432 failed: port is already allocated
      says      Docker has published port 5432 for another container; no bind was refused
      next      this names the container: docker ps --filter publish=5432
    ");
}

#[test]
fn text_joined_by_port_and_time() {
    let joints = joined(
        "2026-11-23T12:04:32Z listen tcp 0.0.0.0:8080: bind: address already in use",
        &[samples::listener()],
    );
    assert_snapshot!(text(&joints), @r"
    line 1: 2026-11-23T12:04:32Z listen tcp 0.0.0.0:8080: bind: address already in use
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
      found     in the recording by port and time, 0.488s after
    ");
}

#[test]
fn text_joined_by_order() {
    let go = "listen tcp 0.0.0.0:8080: bind: address already in use\n".repeat(3);
    let refusals = [samples::time_wait(), samples::people()];
    assert_snapshot!(text(&joined(&go, &refusals)), @r"
    line 1: listen tcp 0.0.0.0:8080: bind: address already in use
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      held by   TIME-WAIT 127.0.0.1:8080 ↔ 127.0.0.1:51234   ends in 59.9s   (no process: TIME_WAIT has no owner)
      held by   TIME-WAIT 127.0.0.1:8080 ↔ 127.0.0.1:51235   ends in 0.0s   (no process: TIME_WAIT has no owner)
      held by   FIN-WAIT-1 127.0.0.1:8080 ↔ 127.0.0.1:51236   (no process: its owner closed it, the kernel is finishing the connection)
      held by   ESTABLISHED 127.0.0.1:8080 ↔ 127.0.0.1:51237   (no process yet: the connection waits for the listener to accept it)
      held by   LISTEN 127.0.0.1:8080   (no process: opened by the kernel itself)
      why       connections that were closed a moment ago still occupy the port        [time-wait]
      found     in the recording by port and order, one of 2 that came into question

    line 2: listen tcp 0.0.0.0:8080: bind: address already in use
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit runner.service   test tests/test_api.py::test_x (gw1)   job build (github 77)
      held by   nginx (900)  LISTEN 0.0.0.0:8080   fd 6   uid ci   container nginx (containerd)   pod shop/web-7d9f   containerd-shim → nginx
      held by   systemd (1)  LISTEN 0.0.0.0:8080   fd 40   uid ci   unit web.socket
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   test tests/test_api.py::test_x (gw0)   job build (github 77)   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
      found     in the recording by port and order, one of 2 that came into question
    ");
}

/// Each refusal is explained once: further lines about it are counted with the first.
#[test]
fn a_refusal_answers_one_line() {
    let go = "listen tcp 0.0.0.0:8080: bind: address already in use\n".repeat(4);
    let [one, two] = &joined(&go, &[samples::time_wait(), samples::people()])[..] else { panic!("not two") };
    assert_eq!((one.complaint.line, one.complaint.repeats), (1, 0));
    assert_eq!((two.complaint.line, two.complaint.repeats), (2, 2));
    let many = "cannot bind: port 8080 is in use\n2 attempts\nports 8080, 9090 are already in use\n";
    let ports: Vec<_> =
        joined(many, &[samples::listener()]).iter().map(|one| one.complaint.target.port).collect();
    assert_eq!(ports, [Some(8080), Some(9090)]);
}

/// Lines of one program, of which only some name the port, are about its refusals in their order.
#[test]
fn lines_with_and_without_the_port_stay_in_order() {
    let log = "OSError: [Errno 98] Address already in use
OSError: [Errno 98] error while attempting to bind on address ('0.0.0.0', 8080): address already in use
OSError: [Errno 98] Address already in use (while attempting to bind on address ('0.0.0.0', 8080))
";
    let refusals = [7, 8, 9].map(|pid| {
        let mut refusal = samples::listener();
        std::rc::Rc::make_mut(&mut refusal.process).pid = pid;
        refusal
    });
    let pids: Vec<u32> =
        joined(log, &refusals).iter().map(|one| one.join.as_ref().unwrap().refusal.process.pid).collect();
    assert_eq!(pids, [7, 8, 9]);
}

#[test]
fn an_exact_address_is_joined_with_no_other() {
    let on = |address: &str| {
        let mut refusal = samples::listener();
        refusal.socket.address = address.parse().unwrap();
        refusal
    };
    let both = [on("::1"), on("127.0.0.1")];
    for (named, refusals, expected) in [
        ("127.0.0.1:8080", &both[..], Ok("127.0.0.1")),
        ("[::1]:8080", &both, Ok("::1")),
        (":8080", &both, Ok("::1")),
        ("127.0.0.1:8080", &both[..1], Err(Reason::OtherAddress("::1".parse().unwrap()))),
        ("0.0.0.0:8080", &[on("::")], Ok("::")),
        ("localhost:8080", &both[1..], Ok("127.0.0.1")),
    ] {
        let joints = joined(&format!("bind {named}: Address already in use"), refusals);
        let found = joints[0].join.as_ref().map(|join| join.refusal.socket.address.unwrap().to_string());
        assert_eq!(found.map_err(|reason| *reason), expected.map(str::to_owned), "{named}");
    }
    assert_snapshot!(text(&joined("bind 127.0.0.1:8080: Address already in use", &both[..1])), @r"
    line 1: bind 127.0.0.1:8080: Address already in use
      says      a program was refused 127.0.0.1:8080
      recorded  no refusal of port 8080 on 127.0.0.1; the recording has one on [::1]
      next      while the port is held, this shows the holder: portbind who 8080
      or        next time, portbind run --record FILE -- COMMAND records who holds it at that instant
    ");
}

#[test]
fn text_without_a_refusal_that_fits() {
    let log = "2026-11-23T14:04:32Z listen tcp :8080: bind: address already in use
listen tcp :9999: bind: address already in use
listen udp :8080: bind: address already in use
";
    assert_snapshot!(text(&joined(log, &[samples::listener()])), @r"
    line 1: 2026-11-23T14:04:32Z listen tcp :8080: bind: address already in use
      says      a program was refused tcp :8080, in the words of Go
      recorded  a refusal of port 8080, but the line was written 2.0h after the nearest; --zone says in which zone the log's times are
      next      while the port is held, this shows the holder: portbind who 8080
      or        next time, portbind run --record FILE -- COMMAND records who holds it at that instant

    line 2: listen tcp :9999: bind: address already in use
      says      a program was refused tcp :9999, in the words of Go
      recorded  no refusal of port 9999
      next      while the port is held, this shows the holder: portbind who 9999
      or        next time, portbind run --record FILE -- COMMAND records who holds it at that instant

    line 3: listen udp :8080: bind: address already in use
      says      a program was refused udp :8080, in the words of Go
      recorded  no refusal of port 8080
      next      while the port is held, this shows the holder: portbind who 8080
      or        next time, portbind run --record FILE -- COMMAND records who holds it at that instant
    ");
}

#[test]
fn a_line_without_port_needs_a_program_or_a_single_refusal() {
    let rust = "Error: Address already in use (os error 98)";
    let python = "OSError: [Errno 98] Address already in use";
    let java = "java.net.BindException: Address already in use";
    let mut other = samples::listener();
    other.socket.port = 9090;
    let several = [samples::listener(), other];
    let one = &several[..1];
    let is_joined = |log: &str, refusals: &[_]| {
        joined(log, refusals)[0].join.as_ref().map(|_| ()).map_err(|reason| *reason)
    };
    assert_eq!(is_joined(rust, one), Ok(()));
    assert_eq!(is_joined(rust, &several), Err(Reason::Ambiguous(2)));
    assert_eq!(is_joined(python, &several), Ok(()));
    assert_eq!(is_joined(java, one), Err(Reason::NoneLikeIt));
    let second = joined(&format!("{python}\n{python}\n"), &several);
    assert_eq!(second[1].join.as_ref().unwrap().refusal.socket.port, Some(9090));
    let dated = joined(&format!("2026-11-23 12:04:31,600 {python}"), &several);
    assert!(dated[0].join.as_ref().unwrap().apart.is_some());
}

#[test]
fn the_nearest_in_time_is_taken_and_the_pid_beats_it() {
    let mut early = samples::listener();
    early.time = "2026-11-23T12:04:25Z".parse().unwrap();
    early.cause.code = crate::event::Code::TimeWait;
    let refusals = [early.clone(), samples::listener()];
    let code = |log: &str| joined(log, &refusals)[0].join.as_ref().unwrap().refusal.cause.code.to_string();
    let go = "listen tcp 0.0.0.0:8080: bind: address already in use";
    assert_eq!(code(&format!("2026-11-23T12:04:31Z {go}")), "listener");
    assert_eq!(code(&format!("2026-11-23T12:04:26Z {go}")), "time-wait");
    let mut same = early;
    std::rc::Rc::make_mut(&mut same.process).pid = 77;
    let joints = joined(
        "2026-11-23T12:04:31Z b nginx[77]: nginx: [emerg] bind() to 0.0.0.0:8080 failed (98: Address already in use)",
        &[same, samples::listener()],
    );
    let join = joints[0].join.as_ref().unwrap();
    assert!(join.by_pid && join.refusal.process.pid == 77);
}

#[test]
fn json_explanation() {
    let joints = joined("listen tcp :9999: bind: address already in use", &[samples::listener()]);
    assert_snapshot!(json_of(&joints[0]), @r#"
    {"schema":"portbind.event/1","kind":"explanation","log":{"number":1,"text":"listen tcp :9999: bind: address already in use","source":"Go","repeats":0,"time":null,"program":null,"pid":null},"target":{"protocol":"tcp","address":null,"port":9999,"path":null},"refusal":null,"join":null,"reason":"none-like-it"}
    "#);
}

/// Names and lines with control sequences for terminals and CI systems.
#[test]
fn hostile_logs() {
    let log = "::error::x \u{1b}[2J##vso[task]\u{202e} listen tcp :8080: bind: address already in use";
    for width in [None, Some(40)] {
        let style = Style { width, ..Style::default() };
        for joints in [joined(log, &[samples::hostile()]), joined(log, &[])] {
            let text = text_in(&style, &joints);
            assert!(
                !text.contains("##") && !text.chars().any(|c| c != '\n' && crate::escape::is_hidden(c)),
                "{text}"
            );
            assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text}");
        }
    }
}

/// Every line that is written conforms to the schema, and is read back unchanged.
#[test]
fn lines_are_of_the_schema() {
    let schema = jsonschema::validator_for(json_schema().as_value()).unwrap();
    let check = |written: &str| {
        let value: serde_json::Value = serde_json::from_str(written).unwrap();
        if let Err(error) = schema.validate(&value) {
            panic!("{error}\n{value:#}");
        }
        value
    };
    let log = "listen tcp 0.0.0.0:8080: bind: address already in use\nlisten unix /x: bind: address already in use\n";
    for matched in joined(log, &[samples::listener()]) {
        let read: line::Explanation<'_> = serde_json::from_value(check(&json_of(&matched))).unwrap();
        assert_eq!(read, (&matched).into());
    }
    let (before, after) = &sides();
    let written = json_of(&Comparison { before, after });
    let read: lines::Comparison<'_> = serde_json::from_value(check(&written)).unwrap();
    assert_eq!(read.changes.len(), 4);
}

/// The two sides of a comparison.
fn sides() -> (Side, Side) {
    let side = |runs, refusals: &[(crate::event::Refusal, u32)]| {
        let mut side = Side::new(runs);
        for (refusal, count) in refusals {
            (0..*count).for_each(|_| side.add(fingerprint(&Refusal::from(refusal))));
        }
        side
    };
    (
        side(20, &[(samples::listener(), 7), (samples::time_wait(), 2), (samples::ipv6(), 1)]),
        side(20, &[(samples::listener(), 1), (samples::exhausted(), 2)]),
    )
}

#[test]
fn text_comparison() {
    let (before, after) = sides();
    let write = |before, after| {
        let mut printer = Printer::new(Format::Text, Style::default(), Vec::new());
        printer.document(&Comparison { before, after }).unwrap();
        String::from_utf8(printer.into_inner()).unwrap()
    };
    assert_snapshot!(write(&before, &after), @r"
    before  10 refusals in 20 runs
    after   3 refusals in 20 runs

    new     2        0.10 a run          port-range-exhausted: python -m pytest, autobind tcp any  [cb1165c2f4f39d1c]
    still   7 → 1    0.35 → 0.05 a run   listener: python -m pytest, bind tcp 8080, held by java  [fb04dba1f76e8114]
    gone    2        0.10 a run          time-wait: python -m pytest, bind tcp 8080  [1d9308647995fb45]
    gone    1        0.05 a run          listener: python -m pytest, bind udp 5353, held by java  [2a64311149d33840]

    before  8 of 10 refusals are due to listeners of java
    after   2 of 3 refusals are due to an exhausted port range
    ");
    assert_snapshot!(write(&Side::new(1), &Side::new(2)), @r"
    before  0 refusals in 1 run
    after   0 refusals in 2 runs
    ");
}

#[test]
fn json_comparison() {
    let (before, _) = sides();
    assert_snapshot!(json_of(&Comparison { before: &before, after: &Side::new(3) }), @r#"
    {"schema":"portbind.event/1","kind":"comparison","before":{"runs":20,"refusals":10,"pattern":{"count":8,"cause":"listener","holders":"java","text":"8 of 10 refusals are due to listeners of java"}},"after":{"runs":3,"refusals":0,"pattern":null},"changes":[{"fate":"gone","fingerprint":"fb04dba1f76e8114","cause":"listener","caller":"python -m pytest","asked":"bind tcp 8080","holders":"java","before":7,"after":0,"before_per_run":0.35,"after_per_run":0.0},{"fate":"gone","fingerprint":"1d9308647995fb45","cause":"time-wait","caller":"python -m pytest","asked":"bind tcp 8080","holders":"","before":2,"after":0,"before_per_run":0.1,"after_per_run":0.0},{"fate":"gone","fingerprint":"2a64311149d33840","cause":"listener","caller":"python -m pytest","asked":"bind udp 5353","holders":"java","before":1,"after":0,"before_per_run":0.05,"after_per_run":0.0}]}
    "#);
}

#[test]
fn a_daemon_is_traced_and_not_the_command_that_asks_it() {
    let log =
        "Error response from daemon: failed to bind host port 127.0.0.1:8433/tcp: address already in use";
    let shown = alone(log);
    assert!(shown.contains("next time, portbind trace -P 8433 shows it: the daemon"), "{shown}");
    assert!(!shown.contains("portbind run"), "{shown}");
}
