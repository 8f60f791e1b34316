//! The remaining tables.

use maud::{Markup, html};

use super::markup::{ZONE, foreign, place, sentence, visible};
use crate::report::print::words;
use crate::report::{Leak, PairRow, Ranked, Report, Run, Side, Swallowed};

pub(super) fn pairs(pairs: &Ranked<PairRow>) -> Markup {
    if pairs.rows.is_empty() {
        return html! {};
    }
    html! {
        section #pairs {
            h2 { "Who refused whom" }
            div.scroll {
                table {
                    thead { tr { th.number { "Refusals" } th { "Refused" } th { "Held by" } th { "At first" } } }
                    tbody {
                        @for pair in &pairs.rows {
                            tr {
                                td.number { (pair.count) }
                                td { (side(&pair.refused)) }
                                td {
                                    @match &pair.by {
                                        Some(by) => (side(by)),
                                        None => span.quiet { "nobody who was found" }
                                    }
                                }
                                td { (place(&pair.place)) " " code.tag { (foreign(&pair.cause)) } }
                            }
                        }
                    }
                }
            }
            @if let Some(words) = words::left_out(pairs.left_out, "pair", "pairs") { p.quiet { (words) } }
        }
    }
}

fn side(side: &Side) -> Markup {
    html! {
        b.program { (sentence(side.runs.unescaped())) }
        @if let Some(test) = &side.test { div.test { (foreign(test)) } }
    }
}

pub(super) fn swallowed(rows: &Ranked<Swallowed>) -> Markup {
    if rows.rows.is_empty() {
        return html! {};
    }
    html! {
        section #swallowed {
            h2 { "Swallowed" }
            p { "These programs were refused, lived on, and did not end with a failure." }
            div.scroll {
                table {
                    thead {
                        tr { th { "When" } th { "Program" } th { "Refused" } th { "Lived on" } th { "Exit status" } }
                    }
                    tbody {
                        @for row in &rows.rows {
                            tr {
                                td.time { (words::clock(row.refused, &ZONE)) }
                                td { b.program { (foreign(&row.name)) } span.pid { (row.pid) } }
                                td {
                                    @if let Some((what, cause)) = &row.what {
                                        (place(what)) " " code.tag { (foreign(cause)) }
                                    }
                                }
                                td { (words::millis(row.lived_on_ms)) }
                                td {
                                    @match row.exit_status {
                                        Some(status) => (status),
                                        None => span.quiet { "still ran" },
                                    }
                                }
                            }
                        }
                    }
                }
            }
            (more(rows.left_out.rows))
        }
    }
}

pub(super) fn leaks(rows: &Ranked<Leak>) -> Markup {
    if rows.rows.is_empty() {
        return html! {};
    }
    html! {
        section #leaks {
            h2 { "Leaked sockets" }
            p { "These were still bound when their command had ended: the next run may be refused." }
            div.scroll {
                table {
                    thead { tr { th { "When" } th { "Port" } th { "State" } th { "Held by" } th { "Opened by" } } }
                    tbody {
                        @for row in &rows.rows {
                            tr {
                                td.time { (words::clock(row.time, &ZONE)) }
                                td { (place(&row.place)) }
                                td { (foreign(&row.state)) }
                                td {
                                    (side(&row.owner.side))
                                    @if let Some(pid) = row.owner.pid { span.pid { (pid) } }
                                }
                                td {
                                    @if let Some(opener) = &row.opener {
                                        (side(&opener.side))
                                        @if let Some(pid) = opener.pid { span.pid { (pid) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            (more(rows.left_out.rows))
        }
    }
}

pub(super) fn runs(rows: &Ranked<Run>) -> Markup {
    if rows.rows.is_empty() {
        return html! {};
    }
    html! {
        section #runs {
            h2 { "Commands" }
            div.scroll {
                table {
                    thead {
                        tr {
                            th { "Started" } th { "Command" } th { "Ended with" }
                            th.number { "Refusals" } th.number { "Leaks" }
                        }
                    }
                    tbody {
                        @for row in &rows.rows {
                            tr {
                                td.time { (words::date(row.started, &ZONE)) }
                                td { code { (foreign(&row.args)) } }
                                td { (ended(row)) }
                                td.number { (row.refusals) }
                                td.number { (row.leaks) }
                            }
                        }
                    }
                }
            }
            (more(rows.left_out.rows))
        }
    }
}

fn ended(run: &Run) -> Markup {
    html! {
        @match (run.exit_status, run.signal) {
            (Some(status), _) => { "status " (status) }
            (None, Some(signal)) => { "signal " (signal) }
            (None, None) => { span.quiet { "unknown" } }
        }
        @if let Some(ended) = run.ended { span.quiet { " after " (words::length(ended.duration_since(run.started))) } }
    }
}

fn more(rows: u64) -> Markup {
    html! { @if rows > 0 { p.quiet { "and " (rows) " more" } } }
}

/// What was read, what was skipped, and what is missing.
pub(super) fn files(report: &Report) -> Markup {
    let gaps = words::gaps(report);
    if report.files.is_empty() && gaps.is_empty() {
        return html! {};
    }
    html! {
        section #files {
            h2 { "Recordings" }
            ul.files {
                @for file in &report.files {
                    li {
                        (foreign(&file.name)) span.quiet { " " (words::count(file.lines, "line", "lines")) }
                        @for note in file.skipped.notes().iter().filter(|note| note.damage.is_reported()) {
                            div.warn { (visible(&note.to_string())) }
                        }
                    }
                }
                @for gap in &gaps { li.warn { (gap) } }
            }
        }
    }
}
