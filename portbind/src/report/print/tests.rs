//! Tests of the HTML and text of reports.

use insta::assert_snapshot;
use jiff::Timestamp;
use proptest::prelude::*;

use super::html;
use crate::escape::is_hidden;
use crate::event::samples;
use crate::output::{Document as _, Style};
use crate::recording::{Line, Reader};
use crate::report::{Collector, Report};
use crate::wire;

/// Strings that try to act on a page.
const HOSTILE: [&str; 7] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "]]></style></title></svg><script>x</script>",
    "'--><!--",
    "&lt;b&gt;&amp;",
    "\u{202e}gnp.exe\u{2066}\u{200b}",
    "a\u{1b}[31m\nb\0",
];

fn page(report: &Report) -> String {
    let mut out = Vec::new();
    html(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn printed(report: &Report, style: &Style) -> String {
    let mut out = Vec::new();
    report.text(style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A report in which `name` replaces every free string of the recording.
fn with_strings(name: &str) -> Report {
    let mut refusal = serde_json::to_value(wire::Refusal::from(&samples::people())).unwrap();
    replace(&mut refusal, name);
    refusal["schema"] = wire::SCHEMA.into();
    refusal["kind"] = "refusal".into();
    let mut collector = Collector::default();
    let line = format!("{refusal}\n");
    let mut reader = Reader::new(line.as_bytes());
    for line in &mut reader {
        collector.push(&line.unwrap());
    }
    assert_eq!(reader.skipped().notes(), []);
    collector.file(name, 1, reader.skipped().clone());
    collector.finish()
}

/// Replaces all strings that are neither times nor addresses.
fn replace(value: &mut serde_json::Value, name: &str) {
    match value {
        serde_json::Value::String(text) => {
            let is_address = text.parse::<std::net::IpAddr>().is_ok();
            if !is_address && text.parse::<Timestamp>().is_err() && text != "inet" {
                name.clone_into(text);
            }
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| replace(value, name)),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(|value| replace(value, name)),
        _ => {}
    }
}

#[test]
fn hostile_strings_stay_strings() {
    let harmless = page(&with_strings("harmless"));
    let shape = |page: &str| {
        let tags = page.split('<').skip(1).map(|tag| tag.split(['>', ' ']).next().unwrap_or_default());
        tags.map(str::to_owned).collect::<Vec<_>>()
    };
    for name in HOSTILE {
        let report = with_strings(name);
        let page = page(&report);
        // The elements are the same for all names, so no name became markup.
        assert_eq!(shape(&page), shape(&harmless), "{name:?}");
        assert!(!page.chars().any(|c| is_hidden(c) && c != '\n'), "{name:?}");
        let text = printed(&report, &Style::default());
        assert!(!text.chars().any(|c| is_hidden(c) && c != '\n'), "{name:?}\n{text}");
    }
}

#[test]
fn a_page_loads_nothing() {
    let page = page(&crate::report::tests::everything());
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    for word in
        ["<script", "<link", "<iframe", "<img", "src=", "href=", "@import", "http://", "https://", "onload"]
    {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn an_empty_report() {
    assert_snapshot!(printed(&Report::default(), &Style::default()), @r"
    0 refusals
    ");
    assert!(page(&Report::default()).contains("No bind was refused"));
}

fn recorded() -> Report {
    let mut collector = Collector::default();
    for sample in [samples::listener(), samples::listener(), samples::time_wait(), samples::people()] {
        let line = serde_json::to_string(&wire::Refusal::from(&sample)).unwrap();
        collector.push(&Line::Refusal(serde_json::from_str(&line).unwrap()));
    }
    collector.finish()
}

#[test]
fn text_of_any_width() {
    assert_snapshot!(printed(&recorded(), &Style::default()), @r"
    4 refusals  2026-11-23 12:04:31

    why
         3  listener   another program is listening there, and neither socket set SO_REUSEPORT
         1  time-wait  connections that were closed a moment ago still occupy the port

    ports
         4  tcp 8080  registered
            2×  [listener]  pytest refused by java
            1×  [time-wait]  pytest refused by TIME-WAIT, left by a process that was not seen
            1×  [listener]  pytest in tests/test_api.py::test_x refused by nginx

    who refused whom
         2  pytest by java
         1  pytest by TIME-WAIT, left by a process that was not seen
         1  pytest in tests/test_api.py::test_x by nginx
    ");
}

#[test]
fn text_of_a_narrow_terminal() {
    let shown = printed(&recorded(), &Style { width: Some(60), ..Style::default() });
    assert!(shown.lines().all(|line| crate::escape::columns(line) <= 60), "{shown}");
    assert_snapshot!(shown, @r"
    4 refusals  2026-11-23 12:04:31

    why
         3  listener   another program is listening there, and
                       neither socket set SO_REUSEPORT
         1  time-wait  connections that were closed a moment ago
                       still occupy the port

    ports
         4  tcp 8080  registered
            2×  [listener]  pytest refused by java
            1×  [time-wait]  pytest refused by TIME-WAIT, left …
            1×  [listener]  pytest in tests/test_api.py::test_x…

    who refused whom
         2  pytest by java
         1  pytest by TIME-WAIT, left by a process that was not…
         1  pytest in tests/test_api.py::test_x by nginx
    ");
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_second() * 1000, Timestamp::MAX.as_second() * 1000);
    let near = 1_700_000_000_000_i64;
    prop_oneof![first..=last, near..near + 100_000, Just(first), Just(last)]
        .prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
}

proptest! {
    #[test]
    fn any_times_can_be_shown(
        times in proptest::collection::vec((any_time(), any_time(), any::<u64>(), any::<bool>()), 1..12),
    ) {
        let mut collector = Collector::default();
        let sample = samples::time_wait();
        for (time, since, left, is_wait) in &times {
            let mut refusal = wire::Refusal::from(&sample);
            refusal.time = (*time).into();
            for holder in &mut refusal.holders {
                holder.since = Some((*since).into());
                holder.time_wait_left_ms = is_wait.then_some(*left);
            }
            collector.refusal(&refusal);
        }
        let report = collector.finish();
        prop_assert!(page(&report).ends_with("</html>"));
        let text = printed(&report, &Style { width: Some(40), ..Style::default() });
        prop_assert!(text.contains("tcp 8080"));
    }
}
