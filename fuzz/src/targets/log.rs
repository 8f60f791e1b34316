//! Logs of other programs, as `portbind explain` reads them, alone and beside a recording.

use jiff::civil::date;
use jiff::tz::TimeZone;
use portbind::log_errors::{Clock, Complaint, Finder, Joiner, Lines, MAX_TEXT, Match};
use portbind::output::{Document as _, Style};
use portbind::recording::{Line, Reader};

use crate::harmless;

/// What stands between a log and a recording in the input.
const RECORDING: &[u8] = b"\n=== recording\n";

/// Finds, joins and prints.
pub(crate) fn run(data: &[u8]) {
    let between = data.windows(RECORDING.len()).position(|window| window == RECORDING);
    let (log, recording) = match between {
        Some(at) => (data.get(..at), data.get(at + RECORDING.len()..)),
        None => (Some(data), None),
    };
    let complaints = find(log.unwrap_or_default());
    for complaint in &complaints {
        assert!(complaint.text.len() <= 3 * MAX_TEXT, "a line of {} bytes is kept", complaint.text.len());
    }
    let Some(recording) = recording else {
        return print(complaints.into_iter().map(Match::without_recording));
    };
    let mut joiner = Joiner::new(complaints);
    for line in Reader::new(recording).flatten() {
        if let Line::Refusal(refusal) = line {
            joiner.show(*refusal);
        }
    }
    print(joiner.finish());
}

fn find(log: &[u8]) -> Vec<Complaint> {
    let clock = Clock::new(TimeZone::UTC, date(2026, 1, 2));
    let (mut finder, mut lines) = (Finder::new(clock), Lines::new(log));
    let mut found = Vec::new();
    while let Ok(Some(line)) = lines.next_line() {
        let mut next = finder.line(line);
        while let Some(complaint) = next {
            found.push(complaint);
            next = finder.complete();
        }
    }
    found.extend(finder.finish());
    found
}

fn print(matches: impl Iterator<Item = Match>) {
    let mut style = Style::default();
    style.width = Some(80);
    let (mut text, mut json) = (Vec::new(), Vec::new());
    for matched in matches {
        let written = matched.text(&style, &mut text);
        let written = written.and_then(|()| matched.json(&style, &mut json));
        assert!(written.is_ok(), "{written:?}");
    }
    harmless::check_text(&text);
    harmless::check_json(&json);
}
