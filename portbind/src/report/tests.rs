//! Reports of made-up refusals.

use jiff::{SignedDuration, Timestamp};

use super::collect::Collector;
use super::rows::Report;
use super::timeline::{State, Timeline};
use crate::event::{portless_samples, samples};
use crate::output::{Document as _, Style};
use crate::recording::Skipped;
use crate::wire;

/// A timeline of sockets and refusals at these milliseconds.
pub(crate) fn life(spans: &[(i64, i64)], marks: &[i64]) -> Timeline {
    let mut life = Timeline::default();
    for (inode, &(from, to)) in (1..).zip(spans) {
        let mut refusal = refusal();
        let holder = &mut refusal.holders[0];
        holder.inode = Some(inode);
        holder.since = Some(at(from));
        refusal.time = at(to);
        life.refusal(&refusal, 0);
    }
    let spans = std::mem::take(&mut life.spans);
    life = Timeline::default();
    life.spans = spans;
    for mark in marks {
        let mut refusal = refusal();
        refusal.holders.clear();
        refusal.time = at(*mark);
        life.refusal(&refusal, 0);
    }
    life.finish();
    life
}

fn refusal() -> wire::Refusal<'static> {
    let text = serde_json::to_string(&wire::Refusal::from(&samples::listener())).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn at(ms: i64) -> wire::Time {
    wire::Time(Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap())
}

/// A recording of every sample, with the lines that follow a refusal.
pub(crate) fn everything() -> Report {
    let mut collector = Collector::default();
    for sample in samples::all().iter().chain(&portless_samples::all()) {
        collector.refusal(&wire::Refusal::from(sample));
    }
    collector.finish()
}

#[test]
fn equal_refusals_are_one_group() {
    let mut collector = Collector::default();
    for ms in [0, 10, 20] {
        let mut refusal = refusal();
        refusal.time = at(ms);
        collector.refusal(&refusal);
    }
    let mut other = refusal();
    other.process.exe = Some("/usr/bin/node".into());
    other.process.args = vec!["node".to_owned(), "server.js".to_owned()].into();
    other.time = at(30);
    collector.refusal(&other);
    let report = collector.finish();
    assert_eq!(report.totals.refusals, 4);
    assert_eq!(report.period, Some((at(0).0, at(30).0)));
    let port = &report.ports.rows[0];
    assert_eq!((port.place.port, port.count), (Some(8080), 4));
    let groups: Vec<(u64, &str)> =
        port.groups.rows.iter().map(|group| (group.count, group.caller.side.program.unescaped())).collect();
    assert_eq!(groups, [(3, "python -m pytest"), (1, "node server.js")]);
    let pairs: Vec<(u64, &str)> =
        report.pairs.rows.iter().map(|pair| (pair.count, pair.refused.program.unescaped())).collect();
    assert_eq!(pairs, [(3, "python -m pytest"), (1, "node server.js")]);
}

#[test]
fn all_that_comes_after_is_joined() {
    let mut collector = Collector::default();
    let refusal = refusal();
    collector.refusal(&refusal);
    collector.outcome(&wire::Outcome {
        schema: wire::SCHEMA.into(),
        kind: "outcome".into(),
        time: None,
        refused: refusal.time,
        process: wire::Relative { pid: 48213, comm: "pytest".into() },
        lived_on_ms: 1500.0,
        exit_status: Some(0),
        signal: None,
        swallowed: true,
    });
    let free = wire::Time(refusal.time.0 + SignedDuration::from_millis(250));
    collector.release(&wire::Release {
        schema: wire::SCHEMA.into(),
        kind: "release".into(),
        time: free,
        refused: refusal.time,
        after_ms: 250.0,
        process: wire::Relative { pid: 48213, comm: "pytest".into() },
        socket: refusal.socket.clone(),
    });
    let report = collector.finish();
    let port = &report.ports.rows[0];
    assert_eq!(port.groups.rows[0].swallowed, 1);
    assert_eq!(port.groups.rows[0].free.map(|free| free.most_ms), Some(250.0));
    assert_eq!(port.timeline.spans[0].to, Some(free.0));
    assert_eq!(port.timeline.spans[0].state, State::Listen);
    assert_eq!(report.swallowed.rows[0].what.as_ref().unwrap().0, port.place);
}

#[test]
fn the_same_inode_in_another_run_is_another_socket() {
    let mut collector = Collector::default();
    collector.refusal(&refusal());
    collector.refusal(&refusal());
    collector.file("one", 2, Skipped::default());
    collector.refusal(&refusal());
    assert_eq!(collector.finish().ports.rows[0].timeline.spans.len(), 2);
}

#[test]
fn memory_is_bounded_and_the_rest_is_counted() {
    let mut collector = Collector::default();
    for number in 0..10_000_u32 {
        let mut refusal = refusal();
        refusal.socket.port = Some(u16::try_from(1024 + number % 6000).unwrap());
        refusal.socket.netns = number % 7;
        refusal.process.exe = Some(format!("/bin/program{}", number % 5000).into());
        refusal.time = at(i64::from(number));
        collector.refusal(&refusal);
    }
    let report = collector.finish();
    let shown: u64 = report.ports.rows.iter().map(|port| port.count).sum();
    assert_eq!(shown + report.ports.left_out.count, 10_000);
    let paired: u64 = report.pairs.rows.iter().map(|pair| pair.count).sum();
    assert_eq!(paired + report.pairs.left_out.count, 10_000);
    for port in &report.ports.rows {
        let reported: u64 = port.groups.rows.iter().map(|group| group.count).sum();
        assert_eq!(reported + port.groups.left_out.count, port.count);
    }
}

#[test]
fn every_sample_is_taken() {
    let report = everything();
    let counted: u64 = report.causes.rows.iter().map(|cause| cause.count).sum();
    assert_eq!(counted, report.totals.refusals);
}

fn repeat(count: u64, looked_at: bool) -> wire::Repeat<'static> {
    let refusal = refusal();
    wire::Repeat {
        schema: wire::SCHEMA.into(),
        kind: "repeat".into(),
        time: at(900),
        refused: Some(refusal.time),
        count,
        first: Some(at(10)),
        last: Some(at(800)),
        looked_at,
        process: wire::Relative { pid: 48213, comm: "pytest".into() },
        socket: refusal.socket.clone(),
        cause: Some(refusal.cause.code),
    }
}

#[test]
fn counted_refusals_are_in_the_total() {
    let mut collector = Collector::default();
    collector.repeat(&repeat(1, true));
    let mut refusal = refusal();
    refusal.time = at(0);
    collector.refusal(&refusal);
    collector.repeat(&repeat(50, true));
    collector.repeat(&repeat(700, false));
    let mut report = collector.finish();
    let totals = report.totals;
    assert_eq!((totals.refusals, totals.coalesced, totals.caused, totals.all()), (1, 751, 50, 752));
    // The first repeat has a port, but no line that describes its cause.
    assert_eq!((report.causes.rows[0].count, report.ports.rows[0].count), (51, 52));
    assert_eq!(report.ports.rows[0].period, (at(0).0, at(800).0));
    report.totals.lost = 3;
    let mut text = Vec::new();
    report.text(&Style::default(), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("755 refusals  "), "{text}");
    assert!(text.ends_with("3 refusals lost while tracing\n701 more refusals were only counted\n"), "{text}");
}
