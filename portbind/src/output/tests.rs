//! The exact text and JSON of events.

use std::rc::Rc;

use insta::assert_snapshot;
use jiff::tz::{Offset, TimeZone};
use serde_json::Value;

use super::{Format, Printer, Style, Summary};
use crate::escape::columns;
use crate::event::portless_samples;
use crate::event::samples::{self, all};
use crate::event::{Account, Gaps, LostBy, Refusal, Repeat};

pub(super) fn print(format: Format, style: Style, events: &[Refusal]) -> String {
    let mut printer = Printer::new(format, style, Vec::new());
    for event in events {
        printer.event(event).unwrap();
    }
    String::from_utf8(printer.into_inner()).unwrap()
}

fn text(event: Refusal) -> String {
    print(Format::Text, Style::default(), &[event])
}

fn json(event: Refusal) -> String {
    print(Format::Json, Style::default(), &[event])
}

fn wide(width: usize) -> Style {
    Style { width: Some(width), ..Style::default() }
}

#[test]
fn text_listener() {
    assert_snapshot!(text(samples::listener()), @r"
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
    ");
}

#[test]
fn text_sockets_without_a_process() {
    assert_snapshot!(text(samples::time_wait()), @r"
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      held by   TIME-WAIT 127.0.0.1:8080 ↔ 127.0.0.1:51234   ends in 59.9s   (no process: TIME_WAIT has no owner)
      held by   TIME-WAIT 127.0.0.1:8080 ↔ 127.0.0.1:51235   ends in 0.0s   (no process: TIME_WAIT has no owner)
      held by   FIN-WAIT-1 127.0.0.1:8080 ↔ 127.0.0.1:51236   (no process: its owner closed it, the kernel is finishing the connection)
      held by   ESTABLISHED 127.0.0.1:8080 ↔ 127.0.0.1:51237   (no process yet: the connection waits for the listener to accept it)
      held by   LISTEN 127.0.0.1:8080   (no process: opened by the kernel itself)
      why       connections that were closed a moment ago still occupy the port        [time-wait]
    ");
}

#[test]
fn text_no_holder_and_lost_events() {
    let events = [samples::vanished(), samples::vanished()];
    assert_snapshot!(print(Format::Text, Style::default(), &events), @r"
    2 refusals lost before this one
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      held by   no socket that stands in the way was found on the port
      why       whatever was there is gone        [vanished, found afterwards]

    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      held by   no socket that stands in the way was found on the port
      why       whatever was there is gone        [vanished, found afterwards]
    ");
}

#[test]
fn text_several_processes_and_more() {
    assert_snapshot!(text(samples::several()), @r"
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      held by   nginx (900)  LISTEN 0.0.0.0:8080   fd 6,9   uid ci
      held by   nginx (901)  LISTEN 0.0.0.0:8080   fd 6   uid ci   nginx → nginx
      held by   nginx (902)  LISTEN 0.0.0.0:8080   fd 6   uid ci   nginx → nginx
      held by   LISTEN mptcp 0.0.0.0:8080   uid ci   (its process could not be found)
                and more: only the first 2 are shown
      also on the port: 3 sockets that do not conflict
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
    ");
}

#[test]
fn text_more_than_were_examined() {
    let mut event = samples::several();
    event.holders.drain(..2);
    assert_snapshot!(text(event), @r"
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      held by   no socket among those looked at; there are more on the port
      also on the port: 3 sockets that do not conflict
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
    ");
}

#[test]
fn text_hostile_names() {
    assert_snapshot!(text(samples::hostile()), @r##"
    12:04:31.512  python "\u{202e}\x9b" (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task].service"   test "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]" (jest)   job "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]" (gitlab)
      held by   "#\x23[group]" (5)  LISTEN 0.0.0.0%"e:\n":8080   fd 3   uid "r\u{200b}oot"   container "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]"   pod "#\x23[x]"/"\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]"   a\\nb → "#\x23[group]"
      why       \x3a:error:\x3ax\x1b[2J\n#\x23vso[task] holds it on [::]:8080        [listener]
    "##);
}

#[test]
fn text_people() {
    assert_snapshot!(text(samples::people()), @r"
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit runner.service   test tests/test_api.py::test_x (gw1)   job build (github 77)
      held by   nginx (900)  LISTEN 0.0.0.0:8080   fd 6   uid ci   container nginx (containerd)   pod shop/web-7d9f   containerd-shim → nginx
      held by   systemd (1)  LISTEN 0.0.0.0:8080   fd 40   uid ci   unit web.socket
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   test tests/test_api.py::test_x (gw0)   job build (github 77)   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
    ");
}

#[test]
fn text_people_in_eighty_columns() {
    assert_snapshot!(print(Format::Text, wide(80), &[samples::people()]), @r"
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit runner.service   test tests/test_api.py::test_x (gw1)
                job build (github 77)
      held by   nginx (900)  LISTEN 0.0.0.0:8080   fd 6   uid ci
                container nginx (containerd)   pod shop/web-7d9f
      held by   systemd (1)  LISTEN 0.0.0.0:8080   fd 40   uid ci   unit web.socket
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci
                test tests/test_api.py::test_x (gw0)   job build (github 77)
      why       another program is listening there, and neither socket set
                SO_REUSEPORT        [listener]
    ");
}

#[test]
fn text_ipv6() {
    assert_snapshot!(text(samples::ipv6()), @r"
    12:04:31.512  pytest (48213)  bind udp [fe80::1%eth0]:5353  →  EADDRINUSE
      held by   java (47990)  BOUND [::ffff:1.2.3.4%9]:5353   fd 7   uid ci   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
    ");
}

#[test]
fn text_exhausted() {
    assert_snapshot!(text(samples::exhausted()), @r"
    12:04:31.512  pytest (48213)  autobind tcp 0.0.0.0:0 (any)  →  EAGAIN
      held by   no single socket: any free port would have done
      why       no port is left in the ephemeral range        [port-range-exhausted]
    ");
}

#[test]
fn text_unknown_error_and_protocol() {
    assert_snapshot!(text(samples::unknown()), @r"
    12:04:31.512  pytest (48213)  unknown proto-132 0.0.0.0:80  →  errno 133
      why       not explained        [address-in-use-elsewhere]
    ");
}

#[test]
fn text_in_sixty_columns() {
    let events = [samples::listener(), samples::exhausted()];
    assert_snapshot!(print(Format::Text, wide(60), &events), @r"
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci
      why       another program is listening there, and neither
                socket set SO_REUSEPORT        [listener]

    12:04:31.512  pytest (48213)  autobind tcp 0.0.0.0:0 (any)  →  EAGAIN
      held by   no single socket: any free port would have done
      why       no port is left in the ephemeral range
                [port-range-exhausted]
    ");
}

#[test]
fn text_in_another_zone_and_colour() {
    let zone = TimeZone::fixed(Offset::constant(2));
    let plain = print(Format::Text, Style { zone: zone.clone(), ..Style::default() }, &all());
    assert!(plain.starts_with("14:04:31.512  pytest"));
    let color = print(Format::Text, Style { color: true, zone, ..Style::default() }, &all());
    assert!(color.starts_with("\x1b["));
    let mut stripped = String::new();
    for (index, part) in color.split("\x1b[").enumerate() {
        stripped.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, plain);
}

#[test]
fn brief_of_any_width() {
    assert_snapshot!(print(Format::Brief, Style::default(), &all()), @r##"
    TIME         PID     PROGRAM              OP       PROTO   ADDRESS               ERROR         HOLDER(S)                CAUSE
    12:04:31.512 48213   pytest               bind     tcp     0.0.0.0:8080          EADDRINUSE    java(47990)              listener
    12:04:31.512 48213   pytest               bind     tcp     0.0.0.0:8080          EADDRINUSE    TIME-WAIT×2,FIN-WAIT-1,ESTABLISHED,LISTEN time-wait
    12:04:31.512 48213   pytest               bind     tcp     0.0.0.0:8080          EADDRINUSE    -                        vanished
    12:04:31.512 48213   pytest               bind     tcp     0.0.0.0:8080          EADDRINUSE    nginx(900),nginx(901),nginx(902),LISTEN,… listener
    12:04:31.512 48213   python␣"\u{202e}\x9… bind     tcp     0.0.0.0:8080          EADDRINUSE    "#\x23[group]"(5)        listener
    12:04:31.512 48213   pytest               bind     udp     [fe80::1%eth0]:5353   EADDRINUSE    java(47990)              listener
    12:04:31.512 48213   pytest               bind     tcp     0.0.0.0:8080          EADDRINUSE    nginx(900),systemd(1),java(47990) listener
    12:04:31.512 48213   pytest               autobind tcp     0.0.0.0:0             EAGAIN        -                        port-range-exhausted
    12:04:31.512 48213   pytest               unknown  proto-132 0.0.0.0:80            133           -                        address-in-use-elsewhere
    "##);
}

#[test]
fn brief_in_eighty_columns() {
    assert_snapshot!(print(Format::Brief, wide(80), &all()), @r##"
    TIME     PID     PROGRAM  OP   PROTO ADDRESS        ERROR      HOLDER(S)   CAUSE
    12:04:31 48213   pytest   bind tcp   0.0.0.0:8080   EADDRINUSE java(47… listener
    12:04:31 48213   pytest   bind tcp   0.0.0.0:8080   EADDRINUSE TIME-W… time-wait
    12:04:31 48213   pytest   bind tcp   0.0.0.0:8080   EADDRINUSE -        vanished
    12:04:31 48213   pytest   bind tcp   0.0.0.0:8080   EADDRINUSE nginx(9… listener
    12:04:31 48213   python   bind tcp   0.0.0.0:8080   EADDRINUSE "#\x23[… listener
    12:04:31 48213   pytest   bind udp   [fe80::1%eth0]:5353 EADDRINUSE jav… listen…
    12:04:31 48213   pytest   bind tcp   0.0.0.0:8080   EADDRINUSE nginx(9… listener
    12:04:31 48213   pytest   autobind tcp   0.0.0.0:0      EAGAIN     - port-range…
    12:04:31 48213   pytest   unknown proto-132 0.0.0.0:80     133        - address…
    "##);
}

#[test]
fn brief_in_a_hundred_columns() {
    assert_snapshot!(print(Format::Brief, wide(100), &all()), @r##"
    TIME     PID     PROGRAM  OP   PROTO ADDRESS        ERROR      HOLDER(S)   CAUSE
    12:04:31 48213   pytest   bind tcp   0.0.0.0:8080   EADDRINUSE java(47990) listener
    12:04:31 48213   pytest   bind tcp   0.0.0.0:8080   EADDRINUSE TIME-WAIT×2,FIN-WAIT-1,EST… time-wait
    12:04:31 48213   pytest   bind tcp   0.0.0.0:8080   EADDRINUSE -           vanished
    12:04:31 48213   pytest   bind tcp   0.0.0.0:8080   EADDRINUSE nginx(900),nginx(901),nginx… listener
    12:04:31 48213   python   bind tcp   0.0.0.0:8080   EADDRINUSE "#\x23[group]"(5) listener
    12:04:31 48213   pytest   bind udp   [fe80::1%eth0]:5353 EADDRINUSE java(47990) listener
    12:04:31 48213   pytest   bind tcp   0.0.0.0:8080   EADDRINUSE nginx(900),systemd(1),java(… listener
    12:04:31 48213   pytest   autobind tcp   0.0.0.0:0      EAGAIN     -           port-range-exhausted
    12:04:31 48213   pytest   unknown proto-132 0.0.0.0:80     133        -     address-in-use-elsewhere
    "##);
}

#[test]
fn brief_never_wraps() {
    for width in 1..240 {
        for line in print(Format::Brief, wide(width), &all()).lines() {
            assert!(columns(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn brief_header_comes_once() {
    let mut printer = Printer::new(Format::Brief, Style::default(), Vec::new());
    printer.begin().unwrap();
    printer.begin().unwrap();
    printer.event(&samples::listener()).unwrap();
    printer.summary(&Summary::new(&Account::default(), &Gaps::default(), std::time::Duration::ZERO)).unwrap();
    assert_eq!(String::from_utf8(printer.into_inner()).unwrap().lines().count(), 2);
}

#[test]
fn json_listener() {
    assert_snapshot!(json(samples::listener()), @r#"{"schema":"portbind.event/1","kind":"refusal","time":"2026-11-23T12:04:31.512345678Z","operation":"bind","error":{"name":"EADDRINUSE","number":98},"process":{"pid":48213,"tid":48213,"comm":"pytest","exe":"/usr/bin/python3.11","args":["python3","-m","pytest"],"args_truncated":false,"uid":1000,"gid":1000,"user":"ci","cgroup":"/user.slice","started":"2026-11-23T12:04:00.000000000Z","ancestors":[{"pid":48100,"comm":"bash"}],"container":null,"unit":null,"test":null},"socket":{"family":"inet","protocol":"tcp","address":"0.0.0.0","port":8080,"path":null,"netlink":null,"vsock":null,"netns":4026531840,"netns_name":null,"interface":null,"options":{"reuse_address":false,"reuse_port":false,"v6_only":false},"uid":1000},"holders":[{"state":"listen","conflicts":true,"protocol":"tcp","family":"inet","address":"0.0.0.0","port":8080,"path":null,"peer":null,"interface":null,"inode":53719,"uid":1000,"user":"ci","options":{"reuse_address":true,"reuse_port":false,"v6_only":false},"ownership":"process","backlog":{"waiting":3,"max":128},"since":null,"time_wait_left_ms":null,"opened_by":null,"left_by":null,"processes":[{"pid":47990,"comm":"java","fd":7,"fds":[7],"exe":null,"args":[],"args_truncated":false,"uid":1000,"user":"ci","cgroup":null,"started":null,"ancestors":[{"pid":47900,"comm":"gradle"},{"pid":1,"comm":"systemd"}],"container":null,"unit":null,"test":null}],"more_processes":0}],"holders_truncated":false,"bystanders":0,"cause":{"code":"listener","summary":"another program is listening there, and neither socket set SO_REUSEPORT"},"confidence":"kernel","fixes":[],"history":[],"backend":"fexit","lost":0}"#);
}

#[test]
fn json_time_wait() {
    let mut event = samples::time_wait();
    event.holders.truncate(1);
    assert_snapshot!(json(event), @r#"{"schema":"portbind.event/1","kind":"refusal","time":"2026-11-23T12:04:31.512345678Z","operation":"bind","error":{"name":"EADDRINUSE","number":98},"process":{"pid":48213,"tid":48213,"comm":"pytest","exe":"/usr/bin/python3.11","args":["python3","-m","pytest"],"args_truncated":false,"uid":1000,"gid":1000,"user":"ci","cgroup":"/user.slice","started":"2026-11-23T12:04:00.000000000Z","ancestors":[{"pid":48100,"comm":"bash"}],"container":null,"unit":null,"test":null},"socket":{"family":"inet","protocol":"tcp","address":"0.0.0.0","port":8080,"path":null,"netlink":null,"vsock":null,"netns":4026531840,"netns_name":null,"interface":null,"options":{"reuse_address":false,"reuse_port":false,"v6_only":false},"uid":1000},"holders":[{"state":"time_wait","conflicts":true,"protocol":"tcp","family":"inet","address":"127.0.0.1","port":8080,"path":null,"peer":{"address":"127.0.0.1","port":51234},"interface":null,"inode":null,"uid":null,"user":null,"options":{"reuse_address":true,"reuse_port":false,"v6_only":false},"ownership":"time_wait","backlog":null,"since":null,"time_wait_left_ms":59949,"opened_by":null,"left_by":null,"processes":[],"more_processes":0}],"holders_truncated":false,"bystanders":0,"cause":{"code":"time-wait","summary":"connections that were closed a moment ago still occupy the port"},"confidence":"kernel","fixes":[],"history":[],"backend":"fexit","lost":0}"#);
}

#[test]
fn json_hostile_names() {
    assert_snapshot!(json(samples::hostile()), @r##"{"schema":"portbind.event/1","kind":"refusal","time":"2026-11-23T12:04:31.512345678Z","operation":"bind","error":{"name":"EADDRINUSE","number":98},"process":{"pid":48213,"tid":48213,"comm":"::error::x\u001b[2J\n#\u0023vso[task]","exe":"/usr/bin/python3.11","args":["::error::x\u001b[2J\n#\u0023vso[task]","\u202e\u009b"],"args_truncated":false,"uid":1000,"gid":1000,"user":"ci","cgroup":"/user.slice","started":"2026-11-23T12:04:00.000000000Z","ancestors":[{"pid":48100,"comm":"bash"}],"container":null,"unit":"::error::x\u001b[2J\n#\u0023vso[task].service","test":{"runner":"jest","name":"::error::x\u001b[2J\n#\u0023vso[task]","suite":null,"worker":null,"run":null,"pid":0,"ci":{"system":"gitlab","project":null,"workflow":null,"name":"::error::x\u001b[2J\n#\u0023vso[task]","id":null,"run":null,"attempt":null,"pid":0}}},"socket":{"family":"inet","protocol":"tcp","address":"0.0.0.0","port":8080,"path":null,"netlink":null,"vsock":null,"netns":4026531840,"netns_name":null,"interface":null,"options":{"reuse_address":false,"reuse_port":false,"v6_only":false},"uid":1000},"holders":[{"state":"listen","conflicts":true,"protocol":"tcp","family":"inet","address":"0.0.0.0","port":8080,"path":null,"peer":null,"interface":{"index":2,"name":"e:\n"},"inode":53719,"uid":1000,"user":"ci","options":{"reuse_address":true,"reuse_port":false,"v6_only":false},"ownership":"process","backlog":{"waiting":3,"max":128},"since":null,"time_wait_left_ms":null,"opened_by":null,"left_by":null,"processes":[{"pid":5,"comm":"#\u0023[group]","fd":3,"fds":[3],"exe":null,"args":[],"args_truncated":false,"uid":1000,"user":"r\u200boot","cgroup":null,"started":null,"ancestors":[{"pid":4,"comm":"a\\nb"}],"container":{"id":"","runtime":null,"name":"::error::x\u001b[2J\n#\u0023vso[task]","pod":{"uid":null,"namespace":"#\u0023[x]","name":"::error::x\u001b[2J\n#\u0023vso[task]"}},"unit":null,"test":null}],"more_processes":0}],"holders_truncated":false,"bystanders":0,"cause":{"code":"listener","summary":"::error::x\u001b[2J\n#\u0023vso[task] holds it on [::]:8080"},"confidence":"kernel","fixes":[],"history":[],"backend":"fexit","lost":0}"##);
}

#[test]
fn json_people() {
    assert_snapshot!(json(samples::people()), @r#"{"schema":"portbind.event/1","kind":"refusal","time":"2026-11-23T12:04:31.512345678Z","operation":"bind","error":{"name":"EADDRINUSE","number":98},"process":{"pid":48213,"tid":48213,"comm":"pytest","exe":"/usr/bin/python3.11","args":["python3","-m","pytest"],"args_truncated":false,"uid":1000,"gid":1000,"user":"ci","cgroup":"/user.slice","started":"2026-11-23T12:04:00.000000000Z","ancestors":[{"pid":48100,"comm":"bash"}],"container":null,"unit":"runner.service","test":{"runner":"pytest","name":"tests/test_api.py::test_x","suite":null,"worker":"gw1","run":null,"pid":48213,"ci":{"system":"github","project":"acme/shop","workflow":"CI","name":"build","id":null,"run":"77","attempt":"1","pid":48100}}},"socket":{"family":"inet","protocol":"tcp","address":"0.0.0.0","port":8080,"path":null,"netlink":null,"vsock":null,"netns":4026531840,"netns_name":"blue","interface":null,"options":{"reuse_address":false,"reuse_port":false,"v6_only":false},"uid":1000},"holders":[{"state":"listen","conflicts":true,"protocol":"tcp","family":"inet","address":"0.0.0.0","port":8080,"path":null,"peer":null,"interface":null,"inode":53719,"uid":1000,"user":"ci","options":{"reuse_address":true,"reuse_port":false,"v6_only":false},"ownership":"process","backlog":{"waiting":3,"max":128},"since":null,"time_wait_left_ms":null,"opened_by":null,"left_by":null,"processes":[{"pid":900,"comm":"nginx","fd":6,"fds":[6],"exe":null,"args":[],"args_truncated":false,"uid":1000,"user":"ci","cgroup":null,"started":null,"ancestors":[{"pid":890,"comm":"containerd-shim"},{"pid":1,"comm":"systemd"}],"container":{"id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","runtime":"containerd","name":"nginx","pod":{"uid":"0a1b2c3d-0000-4444-8888-0123456789ab","namespace":"shop","name":"web-7d9f"}},"unit":"cri-containerd-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope","test":null},{"pid":1,"comm":"systemd","fd":40,"fds":[40],"exe":null,"args":[],"args_truncated":false,"uid":1000,"user":"ci","cgroup":null,"started":null,"ancestors":[],"container":null,"unit":"web.socket","test":null},{"pid":47990,"comm":"java","fd":7,"fds":[7],"exe":null,"args":[],"args_truncated":false,"uid":1000,"user":"ci","cgroup":null,"started":null,"ancestors":[{"pid":47900,"comm":"gradle"}],"container":null,"unit":null,"test":{"runner":"pytest","name":"tests/test_api.py::test_x","suite":null,"worker":"gw0","run":null,"pid":47990,"ci":{"system":"github","project":"acme/shop","workflow":"CI","name":"build","id":null,"run":"77","attempt":"1","pid":48100}}}],"more_processes":0}],"holders_truncated":false,"bystanders":0,"cause":{"code":"listener","summary":"another program is listening there, and neither socket set SO_REUSEPORT"},"confidence":"kernel","fixes":[],"history":[],"backend":"fexit","lost":0}"#);
}

#[test]
fn json_unknown_error_and_protocol() {
    assert_snapshot!(json(samples::unknown()), @r#"{"schema":"portbind.event/1","kind":"refusal","time":"2026-11-23T12:04:31.512345678Z","operation":"unknown","error":{"name":null,"number":133},"process":{"pid":48213,"tid":48213,"comm":"pytest","exe":"/usr/bin/python3.11","args":["python3","-m","pytest"],"args_truncated":false,"uid":1000,"gid":1000,"user":"ci","cgroup":"/user.slice","started":"2026-11-23T12:04:00.000000000Z","ancestors":[{"pid":48100,"comm":"bash"}],"container":null,"unit":null,"test":null},"socket":{"family":"inet","protocol":"132","address":"0.0.0.0","port":80,"path":null,"netlink":null,"vsock":null,"netns":4026531840,"netns_name":null,"interface":null,"options":{"reuse_address":false,"reuse_port":false,"v6_only":false},"uid":1000},"holders":[],"holders_truncated":false,"bystanders":0,"cause":{"code":"address-in-use-elsewhere","summary":"not explained"},"confidence":"kernel","fixes":[],"history":[],"backend":"fexit","lost":0}"#);
}

#[test]
fn json_summary() {
    let account = Account { refused: 10, shown: 4, coalesced: 3, filtered: 2, lost: 1 };
    let lost_by = vec![LostBy { uid: 1000, cgroup_id: 77, lost: 1 }];
    let gaps = Gaps { lost_by, returns_missed: 6, passed_over: 7, history_lost: 8, history_evicted: 9 };
    let mut printer = Printer::new(Format::Json, Style::default(), Vec::new());
    printer.summary(&Summary::new(&account, &gaps, std::time::Duration::from_millis(2500))).unwrap();
    assert_snapshot!(String::from_utf8(printer.into_inner()).unwrap(), @r##"{"schema":"portbind.event/1","kind":"summary","refused":10,"shown":4,"coalesced":3,"filtered":2,"lost":1,"lost_by":[{"uid":1000,"cgroup_id":77,"lost":1}],"steps_lost":0,"returns_missed":6,"passed_over":7,"history_lost":8,"history_evicted":9,"caches":[],"seconds":2.5}"##);
}

#[test]
fn more_of_the_same() {
    let refusal = samples::hostile();
    let printed = |format, count, looked_at| {
        let repeat = Repeat {
            looked_at,
            time: "2026-11-23T12:04:32.5Z".parse().unwrap(),
            first: "2026-11-23T12:04:31.6Z".parse().unwrap(),
            last: "2026-11-23T12:04:32.4Z".parse().unwrap(),
            refused: Some(refusal.time),
            count,
            process: Rc::clone(&refusal.process),
            socket: refusal.socket.clone(),
            cause: Some(refusal.cause.code),
        };
        let mut printer = Printer::new(format, Style::default(), Vec::new());
        printer.repeat(&repeat).unwrap();
        String::from_utf8(printer.into_inner()).unwrap()
    };
    assert_snapshot!(printed(Format::Text, 3214, true), @r#"12:04:32.500  3214 times more  tcp 0.0.0.0:8080 refused to "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]" (48213)        [listener]"#);
    assert_snapshot!(printed(Format::Text, 1, true), @r#"12:04:32.500  once more  tcp 0.0.0.0:8080 refused to "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]" (48213)        [listener]"#);
    assert_snapshot!(printed(Format::Brief, 3214, true), @r#"12:04:32.500 48213   "\x3a:error:\x3ax\…"          tcp     0.0.0.0:8080                        3214 more                listener"#);
    assert_snapshot!(printed(Format::Text, 9, false), @r#"12:04:32.500  9 times more  refused to "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]" (48213), too fast to look at each: the last shown was tcp 0.0.0.0:8080"#);
    assert_snapshot!(printed(Format::Brief, 9, false), @r#"12:04:32.500 48213   "\x3a:error:\x3ax\…"                  too fast to look at                 9 more"#);
    assert_snapshot!(printed(Format::Json, 3214, true), @r#"{"schema":"portbind.event/1","kind":"repeat","time":"2026-11-23T12:04:32.500000000Z","refused":"2026-11-23T12:04:31.512345678Z","count":3214,"first":"2026-11-23T12:04:31.600000000Z","last":"2026-11-23T12:04:32.400000000Z","looked_at":true,"process":{"pid":48213,"comm":"::error::x\u001b[2J\n#\u0023vso[task]"},"socket":{"family":"inet","protocol":"tcp","address":"0.0.0.0","port":8080,"path":null,"netlink":null,"vsock":null,"netns":4026531840,"netns_name":null,"interface":null,"options":{"reuse_address":false,"reuse_port":false,"v6_only":false},"uid":1000},"cause":"listener"}"#);
}

/// Every line has all fields of the core, at their fixed places.
#[test]
fn json_has_the_core() {
    let core = serde_json::json!({
        "schema": "", "kind": "", "time": "", "operation": "", "error": {"name": "", "number": 0},
        "process": {
            "pid": 0, "tid": 0, "comm": "", "exe": "", "args": [], "uid": 0, "user": "", "cgroup": "",
            "ancestors": [{"pid": 0, "comm": ""}], "container": null, "unit": null, "test": null
        },
        "socket": {
            "family": "", "protocol": "", "address": "", "port": 0, "path": null, "netns": 0,
            "interface": null, "options": {"reuse_address": false, "reuse_port": false, "v6_only": false}
        },
        "holders": [{
            "state": "", "conflicts": true, "address": "", "port": 0, "peer": null, "inode": 0, "uid": 0,
            "options": {"reuse_address": true, "reuse_port": false, "v6_only": false}, "since": null,
            "time_wait_left_ms": null, "opened_by": null, "processes": [{"pid": 0, "comm": "", "fd": 0}]
        }],
        "holders_truncated": false, "cause": {"code": "", "summary": ""}, "confidence": "", "fixes": [],
        "history": [], "backend": "", "lost": 0
    });
    for event in all() {
        let printed = json(event);
        assert!(printed.ends_with("}\n") && printed.lines().count() == 1);
        covers(&serde_json::from_str(&printed).unwrap(), &core, "");
    }
}

fn covers(found: &Value, core: &Value, path: &str) {
    match (found, core) {
        (Value::Object(found), Value::Object(core)) => {
            for (name, core) in core {
                let path = format!("{path}.{name}");
                covers(found.get(name).unwrap_or_else(|| panic!("{path} is missing")), core, &path);
            }
        }
        (Value::Array(found), Value::Array(core)) => {
            for (found, core) in found.iter().zip(core.iter().cycle()) {
                covers(found, core, &format!("{path}[]"));
            }
        }
        (Value::Null, Value::Bool(_) | Value::Array(_) | Value::Object(_)) => panic!("{path} is null"),
        (_, Value::Null) | (Value::Null, _) => {}
        (found, core) => assert_eq!(std::mem::discriminant(found), std::mem::discriminant(core), "{path}"),
    }
}

#[test]
fn no_line_is_a_command_to_a_ci_system() {
    for &format in Format::ALL {
        for width in [None, Some(20), Some(45), Some(100)] {
            let events: Vec<_> = all().into_iter().chain(portless_samples::all()).collect();
            for line in print(format, Style { width, ..Style::default() }, &events).lines() {
                assert!(!line.trim_start().starts_with("::") && !line.contains("##"), "{line}");
                assert!(!line.contains('\u{1b}'), "{line}");
            }
        }
    }
}
