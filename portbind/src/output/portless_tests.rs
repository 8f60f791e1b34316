//! The exact text for portless sockets.

use insta::assert_snapshot;
use serde_json::Value;

use super::{Format, Style, tests};
use crate::event::{Refusal, portless_samples};

fn print(format: Format, width: Option<usize>, events: &[Refusal]) -> String {
    tests::print(format, Style { width, ..Style::default() }, events)
}

#[test]
fn text() {
    assert_snapshot!(print(Format::Text, None, &portless_samples::all()), @r#"
    12:04:31.512  pytest (48213)  bind unix /run/app.sock  →  EADDRINUSE
      held by   java (47990)  LISTEN /run/app.sock   fd 7   uid ci   gradle → java
      why       another socket listens at the path        [live-socket-file, found afterwards]

    12:04:31.512  pytest (48213)  bind unix-dgram "@\x00:\x3aerror:\x3a\x1b[2J�"  →  EADDRINUSE
      held by   java (47990)  BOUND unix-seqpacket "@\x00:\x3aerror:\x3a\x1b[2J�"   fd 7   uid ci   gradle → java
      why       another socket has it        [abstract-name-taken, found afterwards]

    12:04:31.512  pytest (48213)  bind unix /run/app.sock  →  EADDRINUSE
      why       nobody is bound to it        [stale-socket-file, found afterwards]
      fix       remove it: rm -- '/run/app.sock'

    12:04:31.512  pytest (48213)  bind netlink route:4711 (groups 0x1)  →  EADDRINUSE
      why       it is taken        [address-in-use-elsewhere, found afterwards]

    12:04:31.512  pytest (48213)  bind vsock any:1234  →  EADDRINUSE
      why       it is taken        [address-in-use-elsewhere, found afterwards]

    12:04:31.512  pytest (48213)  bind family-30 0x01ab  →  EADDRINUSE
      why       it is taken        [address-in-use-elsewhere, found afterwards]
    "#);
}

#[test]
fn brief() {
    assert_snapshot!(print(Format::Brief, None, &portless_samples::all()), @r#"
    TIME         PID     PROGRAM              OP       PROTO   ADDRESS               ERROR         HOLDER(S)                CAUSE
    12:04:31.512 48213   pytest               bind     unix    /run/app.sock         EADDRINUSE    java(47990)              live-socket-file
    12:04:31.512 48213   pytest               bind     unix-dgram "@\x00:\x3aerror:\x3a\x1b[2J�" EADDRINUSE    java(47990)              abstract-name-taken
    12:04:31.512 48213   pytest               bind     unix    /run/app.sock         EADDRINUSE    -                        stale-socket-file
    12:04:31.512 48213   pytest               bind     netlink route:4711␣(groups␣0x1) EADDRINUSE    -                        address-in-use-elsewhere
    12:04:31.512 48213   pytest               bind     vsock   any:1234              EADDRINUSE    -                        address-in-use-elsewhere
    12:04:31.512 48213   pytest               bind     family-30 0x01ab                EADDRINUSE    -                        address-in-use-elsewhere
    "#);
}

#[test]
fn brief_cuts_names_to_their_column() {
    assert_snapshot!(print(Format::Brief, Some(130), &[portless_samples::hostile_name()]), @r#"
    TIME         PID     PROGRAM              OP       PROTO   ADDRESS               ERROR         HOLDER(S)                CAUSE
    12:04:31.512 48213   pytest               bind     unix-dgram "@\x00:\x3aerror:\x…" EADDRINUSE    java(47990)  abstract-name-taken
    "#);
}

fn json(event: Refusal) -> Value {
    serde_json::from_str(&print(Format::Json, None, &[event])).unwrap()
}

#[test]
fn json_of_the_socket() {
    let socket = |event| {
        let socket = json(event)["socket"].take();
        ["family", "protocol", "address", "port", "path", "netlink", "vsock"]
            .map(|key| socket[key].to_string())
            .join(" ")
    };
    let lines = portless_samples::all().map(socket).join("\n");
    assert_snapshot!(lines, @r#"
    "unix" "stream" null null "/run/app.sock" null null
    "unix" "dgram" null null "@\u0000::error::\u001b[2J�" null null
    "unix" "stream" null null "/run/app.sock" null null
    "netlink" "route" null null null {"groups":1,"port_id":4711} null
    "vsock" "stream" null null null null {"cid":4294967295,"port":1234}
    "30" "0" null null null null null
    "#);
}

#[test]
fn json_of_a_holder() {
    let holder = &json(portless_samples::live())["holders"][0];
    let keys = ["state", "family", "protocol", "address", "port", "path", "inode", "backlog"];
    assert_snapshot!(keys.map(|key| holder[key].to_string()).join(" "), @r#""listen" "unix" "stream" null null "/run/app.sock" 53719 {"max":128,"waiting":3}"#);
}
