//! Refused binds before and after a change, as text and as JSON.

use std::io;

use super::format::Document;
use super::jsonl;
use super::line::{CAUSE, DIM, ERROR, Line, PLAIN};
use super::style::Style;
use super::text::layout::rendered;
use crate::diagnosis::comparison::{Change, Fate, compare};
pub use crate::diagnosis::comparison::{Pattern, Side};
use crate::escape::Prose;
use crate::secrets::Secrets;
use crate::wire::{SCHEMA, comparison as json};

/// The refused binds of recordings from before and after a change.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Comparison<'a> {
    /// The recordings from before.
    pub before: &'a Side,
    /// The recordings from after.
    pub after: &'a Side,
}

impl<'a> Comparison<'a> {
    /// Compares two sides.
    #[must_use]
    pub const fn new(before: &'a Side, after: &'a Side) -> Self {
        Self { before, after }
    }
}

impl Document for Comparison<'_> {
    fn text(&self, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let Self { before, after } = *self;
        let mut lines = vec![side("before", before), side("after", after)];
        let changes = compare(before, after);
        if !changes.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(changes.iter().map(|change| line(change, before.runs, after.runs)));
        let patterns: Vec<Line> =
            [("before", before), ("after", after)].into_iter().filter_map(pattern).collect();
        if !patterns.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(patterns);
        out.write_all(rendered(&lines, style).as_bytes())
    }

    fn json(&self, _: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let Self { before, after } = *self;
        let changes = compare(before, after);
        let comparison = json::Comparison {
            schema: SCHEMA.into(),
            kind: "comparison".into(),
            before: before.into(),
            after: after.into(),
            changes: changes.iter().map(|change| wire_change(change, before.runs, after.runs)).collect(),
        };
        jsonl::line(comparison, Secrets::Masked, out)
    }
}

fn side(name: &str, side: &Side) -> Line {
    let refusals = side.refusals();
    let (runs, noun) = (side.runs, if refusals == 1 { "refusal" } else { "refusals" });
    let runs = if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") };
    let mut line = Line::default();
    line.push(DIM, format!("{name:<7} "));
    line.push(PLAIN, format!("{refusals} {noun} in {runs}"));
    line
}

fn line(change: &Change, before: u64, after: u64) -> Line {
    let fate = change.fate();
    let mut line = Line::default();
    let word = if fate == Fate::New { ERROR } else { DIM };
    line.push(word, format!("{:<7} ", fate.as_str()));
    let counts = match fate {
        Fate::New => change.after.to_string(),
        Fate::Gone => change.before.to_string(),
        Fate::Still => format!("{} → {}", change.before, change.after),
    };
    let rates = (rate(change.before, before), rate(change.after, after));
    let rates = match fate {
        Fate::New => format!("{:.2} a run", rates.1),
        Fate::Gone => format!("{:.2} a run", rates.0),
        Fate::Still => format!("{:.2} → {:.2} a run", rates.0, rates.1),
    };
    line.push(PLAIN, format!("{counts:<8} {rates:<19} {}  ", Prose(&change.fingerprint.to_string())));
    line.push(CAUSE, format!("[{}]", change.fingerprint.hash()));
    line
}

fn pattern((name, side): (&str, &Side)) -> Option<Line> {
    let mut line = Line::default();
    line.push(DIM, format!("{name:<7} "));
    line.push(PLAIN, Prose(&side.pattern()?.sentence()).to_string());
    Some(line)
}

/// Refusals per run.
#[expect(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
fn rate(count: u64, runs: u64) -> f64 {
    count as f64 / runs.max(1) as f64
}

impl From<&Side> for json::Side<'_> {
    fn from(side: &Side) -> Self {
        let pattern = side.pattern().map(|pattern| json::Pattern {
            count: pattern.count,
            text: pattern.sentence().into(),
            cause: pattern.cause.map(Into::into),
            holders: pattern.holders.into(),
        });
        Self { runs: side.runs, refusals: side.refusals(), pattern }
    }
}

fn wire_change(change: &Change, before: u64, after: u64) -> json::Change<'_> {
    let fingerprint = &change.fingerprint;
    json::Change {
        fate: change.fate().as_str().into(),
        fingerprint: fingerprint.hash().into(),
        cause: (&fingerprint.cause).into(),
        caller: (&fingerprint.caller).into(),
        asked: (&fingerprint.asked).into(),
        holders: (&fingerprint.holders).into(),
        before: change.before,
        after: change.after,
        before_per_run: rate(change.before, before),
        after_per_run: rate(change.after, after),
    }
}
