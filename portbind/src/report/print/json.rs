//! Converts a report to its JSON form.

use std::borrow::Cow;

use crate::report::{self, CauseRow, FileNotes, Foreign, Group, PairRow, PortRow, Ranked, Span};
use crate::wire::report::{
    CauseCount, ClassCount, Event, File, Held, Pair, PortCount, Report, Side, Skipped, Table,
};
use crate::wire::{Fix, SCHEMA};

impl<'a> From<&'a report::Report> for Report<'a> {
    fn from(report: &'a report::Report) -> Self {
        let totals = report.totals;
        Self {
            schema: SCHEMA.into(),
            kind: "report".into(),
            files: report.files.iter().map(File::from).collect(),
            from: report.period.map(|(from, _)| from.into()),
            to: report.period.map(|(_, to)| to.into()),
            refused: totals.refusals,
            coalesced: totals.coalesced,
            lost: totals.lost,
            swallowed: totals.swallowed,
            leaked: totals.leaks,
            commands: totals.runs,
            causes: (&report.causes).into(),
            classes: report
                .classes
                .iter()
                .map(|(class, refusals)| ClassCount { class: class.as_str().into(), refusals: *refusals })
                .collect(),
            ports: (&report.ports).into(),
            pairs: (&report.pairs).into(),
        }
    }
}

impl<'a, T, U: From<&'a T>> From<&'a Ranked<T>> for Table<U> {
    fn from(ranked: &'a Ranked<T>) -> Self {
        Self {
            rows: ranked.rows.iter().map(U::from).collect(),
            more_rows: ranked.left_out.rows,
            more_refusals: ranked.left_out.count,
        }
    }
}

fn text(foreign: &Foreign) -> Cow<'_, str> {
    foreign.unescaped().into()
}

impl<'a> From<&'a FileNotes> for File<'a> {
    fn from(file: &'a FileNotes) -> Self {
        let skipped = file.skipped.notes().iter().map(|note| Skipped {
            reason: note.damage.as_str().into(),
            lines: note.count,
            first: note.first,
        });
        Self { name: text(&file.name), lines: file.lines, skipped: skipped.collect() }
    }
}

impl<'a> From<&'a CauseRow> for CauseCount<'a> {
    fn from(cause: &'a CauseRow) -> Self {
        Self {
            code: text(&cause.code),
            summary: text(&cause.summary),
            refusals: cause.count,
            fix: cause.fix.as_ref().map(Fix::from),
        }
    }
}

impl<'a> From<&'a report::Fix> for Fix<'a> {
    fn from(fix: &'a report::Fix) -> Self {
        Self { code: text(&fix.code), text: text(&fix.text), command: fix.command.as_ref().map(text) }
    }
}

impl<'a> From<&'a report::Side> for Side<'a> {
    fn from(side: &'a report::Side) -> Self {
        Self { program: text(&side.program), test: side.test.as_ref().map(text) }
    }
}

impl<'a> From<&'a PortRow> for PortCount<'a> {
    fn from(row: &'a PortRow) -> Self {
        Self {
            protocol: text(&row.place.kind),
            port: row.place.port,
            name: row.place.name.as_ref().map(text),
            class: row.place.class().as_str().into(),
            netns: row.place.netns,
            netns_name: row.netns_name.as_ref().map(text),
            refusals: row.count,
            from: row.period.0.into(),
            to: row.period.1.into(),
            holders: row.timeline.spans.iter().map(Held::from).collect(),
            more_holders: row.timeline.spans_left_out,
            events: (&row.groups).into(),
        }
    }
}

impl<'a> From<&'a Span> for Held<'a> {
    fn from(span: &'a Span) -> Self {
        Self {
            by: (&span.side).into(),
            pid: span.pid,
            state: span.state.as_str().into(),
            from: span.from.map(Into::into),
            to: span.to.map(Into::into),
            first_seen: span.seen.0.into(),
            last_seen: span.seen.1.into(),
        }
    }
}

impl<'a> From<&'a Group> for Event<'a> {
    fn from(group: &'a Group) -> Self {
        let holder = group.holder.as_ref().map(|(party, _)| party);
        Self {
            refusals: group.count,
            from: group.period.0.into(),
            to: group.period.1.into(),
            operation: text(&group.operation),
            error: text(&group.error),
            refused: (&group.caller.side).into(),
            pid: group.caller.pid,
            by: holder.map(|holder| (&holder.side).into()),
            by_pid: holder.and_then(|holder| holder.pid),
            cause: text(&group.cause),
            summary: text(&group.summary),
            fixes: group.fixes.iter().map(Fix::from).collect(),
            swallowed: group.swallowed,
            free_after_ms: group.free.map(|free| free.most_ms),
        }
    }
}

impl<'a> From<&'a PairRow> for Pair<'a> {
    fn from(pair: &'a PairRow) -> Self {
        Self {
            refused: (&pair.refused).into(),
            by: pair.by.as_ref().map(Side::from),
            refusals: pair.count,
            cause: text(&pair.cause),
        }
    }
}
