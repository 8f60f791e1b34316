//! A refusal prints the same whether it is live or read from a recording, and no recording can harm a terminal.

use std::rc::Rc;

use insta::assert_snapshot;
use serde_json::Value;

use super::{Format, Style};
use crate::escape::{columns, is_hidden};
use crate::event::{self, Ancestor, Moment, MomentKind, Name, Process, SocketId, portless_samples, samples};
use crate::wire::Refusal;

/// Every sample, also with holders whose process has ended.
fn refusals() -> Vec<event::Refusal> {
    let mut all: Vec<_> = samples::all().into_iter().chain(portless_samples::all()).collect();
    let mut fixed = samples::hostile();
    fixed.fixes = samples::fixes();
    let mut unnamed = portless_samples::stale();
    unnamed.socket.name = Some(Name::Unnamed);
    let mut netlink = portless_samples::live();
    netlink.holders[0].name = Some(Name::Netlink { port_id: 7, groups: 0 });
    netlink.holders[0].protocol = event::Protocol::Netlink(99);
    all.extend([fixed, unnamed, netlink, past(samples::people()), past(samples::time_wait())]);
    all
}

/// The same refusal, with ended holders and a history of the port.
fn past(mut refusal: event::Refusal) -> event::Refusal {
    let process = Process {
        cgroup: Some("/user.slice/user-7.slice/user@7.service/app.slice/web.service".to_owned()),
        unit: Some("web.service".to_owned()),
        ancestors: vec![Ancestor::new(8, "make".to_owned())],
        container: None,
        ..(*refusal.process).clone()
    };
    let process = Rc::new(process);
    for holder in &mut refusal.holders {
        holder.processes.clear();
        holder.since = Some(refusal.time);
        holder.time_wait_left_ms = None;
        (holder.opened_by, holder.left_by) = (Some(Rc::clone(&process)), Some(Rc::clone(&process)));
    }
    let kinds = [
        MomentKind::Bound { any: false },
        MomentKind::Bound { any: true },
        MomentKind::Listening,
        MomentKind::Leaving,
        MomentKind::Closed,
        MomentKind::Connected,
    ];
    for (what, time) in kinds.into_iter().flat_map(|kind| [(kind, None), (kind, Some(refusal.time))]) {
        refusal.history.push(Moment {
            time,
            what,
            process: time.map(|_| Rc::clone(&process)),
            socket: SocketId::default(),
            address: refusal.socket.address,
            peer: Some((refusal.socket.address, 9)),
        });
    }
    refusal.confidence = event::Confidence::History;
    refusal
}

fn styles() -> impl Iterator<Item = Style> {
    let all = (0..8).map(|bits| (bits & 1 > 0, (bits & 2 > 0).then_some(80), bits & 4 > 0));
    all.map(|(color, width, history)| Style { color, width, history, ..Style::default() })
}

/// The formats that are not JSON, in each style.
fn for_people() -> impl Iterator<Item = (Format, Style)> {
    let formats = Format::ALL.iter().filter(|format| **format != Format::Json);
    formats.flat_map(|format| styles().map(|style| (*format, style)))
}

fn printed(format: Format, style: &Style, refusal: Refusal<'_>) -> String {
    let mut out = Vec::new();
    format.writer().refusal(refusal, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_recorded_refusal_is_printed_as_it_was_live() {
    for refusal in refusals() {
        let line = serde_json::to_string(&Refusal::from(&refusal)).unwrap();
        for (format, style) in for_people() {
            let live = printed(format, &style, Refusal::from(&refusal));
            let recorded = printed(format, &style, serde_json::from_str(&line).unwrap());
            assert_eq!(recorded, live);
        }
    }
}

#[test]
fn text_of_holders_that_are_gone() {
    let text = printed(Format::Text, &Style::default(), Refusal::from(&past(samples::people())));
    assert_snapshot!(text, @r"
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit runner.service   test tests/test_api.py::test_x (gw1)   job build (github 77)
      held by   pytest (48213)  LISTEN 0.0.0.0:8080   since 12:04:31.512   uid ci   (it has closed it, or ended)   unit web.service of user 7   test tests/test_api.py::test_x (gw1)   job build (github 77)   make → pytest
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener, from history]
      history   before        had it on 0.0.0.0 when tracing began
                12:04:31.512  pytest (48213)  bound it on 0.0.0.0
                before        had it on 0.0.0.0 when tracing began
                12:04:31.512  pytest (48213)  got it from the kernel by bind to port 0, on 0.0.0.0
                before        was listening on 0.0.0.0 when tracing began
                12:04:31.512  pytest (48213)  began to listen on 0.0.0.0
                before        closed a connection with 0.0.0.0:9 first, which leaves TIME_WAIT
                12:04:31.512  pytest (48213)  closed a connection with 0.0.0.0:9 first, which leaves TIME_WAIT
                before        let go of it
                12:04:31.512  pytest (48213)  let go of it
                before        got it from the kernel for a connection with 0.0.0.0:9
                12:04:31.512  pytest (48213)  got it from the kernel for a connection with 0.0.0.0:9
    ");
}

/// Fields whose values are not free strings.
const FIXED: [&str; 6] = ["schema", "kind", "time", "started", "since", "address"];

/// Replaces every string with `word`.
fn reworded(value: &mut Value, word: &str) {
    match value {
        Value::String(text) => word.clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(|value| reworded(value, word)),
        Value::Object(fields) => {
            let fields = fields.iter_mut().filter(|(name, _)| !FIXED.contains(&name.as_str()));
            fields.for_each(|(_, value)| reworded(value, word));
        }
        _ => {}
    }
}

#[test]
fn no_word_of_a_recording_does_harm() {
    let word = "::error::x y\u{1b}[2J\n##vso[task]\u{202e}";
    for refusal in refusals() {
        let mut line = serde_json::to_value(Refusal::from(&refusal)).unwrap();
        reworded(&mut line, word);
        for (format, style) in for_people() {
            let style = Style { color: false, ..style };
            let text = printed(format, &style, serde_json::from_value(line.clone()).unwrap());
            assert!(!text.contains("##") && !text.contains("y\u{1b}"), "{text}");
            assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)), "{text}");
            assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text}");
        }
    }
}

#[test]
fn words_of_a_newer_version_are_printed_as_they_are() {
    let refusal = samples::listener();
    let mut line = Refusal::from(&refusal);
    line.confidence = "guessed".into();
    line.cause.code = "new-code".into();
    line.holders[0].state = "new_state".into();
    line.socket.protocol = "quic".into();
    let text = printed(Format::Text, &Style::default(), line);
    for words in ["bind quic 0.0.0.0:8080", "NEW-STATE tcp 0.0.0.0:8080", "[new-code, guessed]"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn of_many_holders_the_first_are_shown() {
    let mut refusal = samples::several();
    refusal.holders_truncated = false;
    let first = refusal.holders[0].clone();
    refusal.holders = vec![first; 100];
    let text = printed(Format::Text, &Style::default(), Refusal::from(&refusal));
    assert_eq!(text.matches("held by").count(), 48);
    assert!(text.contains("\n            and 252 more\n"), "{text}");
    assert!(text.lines().all(|line| columns(line) < 200));
}
