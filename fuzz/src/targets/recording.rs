//! Recordings, which anybody may have written: what `report` and `compare` make of them.

use portbind::diagnosis::comparison::{Side, compare};
use portbind::output::comparison::Comparison;
use portbind::output::{Document as _, Style};
use portbind::recording::{Line, Reader, fingerprint};
use portbind::report::{Collector, print as report};

use crate::harmless;

/// Reads each line, writes and reads it once more, and prints what all have in common.
pub(crate) fn run(data: &[u8]) {
    let mut collector = Collector::default();
    let (mut before, after) = (Side::new(1), Side::new(1));
    let mut reader = Reader::new(data);
    let mut lines = 0;
    for line in reader.by_ref().flatten() {
        check_again(&line);
        collector.push(&line);
        if let Line::Refusal(refusal) = &line {
            before.add(fingerprint(refusal));
        }
        lines += 1;
    }
    collector.file("recording.jsonl", lines, reader.skipped().clone());
    print(&collector.finish());
    print_comparison(&before, &after);
}

fn print(found: &portbind::report::Report) {
    let mut style = Style::default();
    style.width = Some(80);
    let (mut text, mut json, mut page) = (Vec::new(), Vec::new(), Vec::new());
    let written = found.text(&style, &mut text);
    let written = written.and_then(|()| found.json(&style, &mut json));
    let written = written.and_then(|()| report::html(found, &mut page));
    assert!(written.is_ok(), "{written:?}");
    harmless::check_text(&text);
    harmless::check_json(&json);
    harmless::check_page(&page);
}

fn print_comparison(before: &Side, after: &Side) {
    let (mut text, mut json) = (Vec::new(), Vec::new());
    let (comparison, style) = (Comparison::new(before, after), Style::default());
    let written = comparison.text(&style, &mut text);
    let written = written.and_then(|()| comparison.json(&style, &mut json));
    assert!(written.is_ok(), "{written:?}");
    harmless::check_text(&text);
    harmless::check_json(&json);
    let lost = compare(before, after).iter().filter(|change| change.before == 0).count();
    assert_eq!(lost, 0, "a refusal is new that was there before");
}

/// A line that was read is read again as the same line, once it is written as portbind writes it.
fn check_again(line: &Line) {
    let written = serde_json::to_vec(line);
    assert!(written.is_ok(), "{written:?}");
    let written = written.unwrap_or_default();
    let again: Vec<Line> = Reader::new(written.as_slice()).flatten().collect();
    assert!(again.as_slice() == std::slice::from_ref(line), "{line:?} is read again as {again:?}");
}
