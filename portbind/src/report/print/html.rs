//! HTML: a single self-contained page.
//!
//! The page has no script and a policy that forbids loading anything. Strings of other programs cannot enter the markup
//! unescaped: the templates do not accept [`Foreign`](crate::report::Foreign) as text, and `markup::foreign` makes it
//! visible first.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::markup::{ZONE, foreign, sentence};
use super::words;
use crate::pages::Pages;
use crate::report::{CauseRow, Foreign, Ranked, Report};

mod markup;
mod ports;
mod tables;
mod timeline;

const STYLE: &str = include_str!("html/style.css");
/// The policy that forbids loading and scripts, whatever a name contains.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page.
pub(super) fn page(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "portbind: " (words::refusals(report.totals.all())) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (timeline::patterns())
                (header(report))
                main {
                    (causes(&report.causes, report.totals.all()))
                    (ports::section(report))
                    (tables::pairs(&report.pairs))
                    (tables::swallowed(&report.swallowed))
                    (tables::leaks(&report.leaks))
                    (tables::runs(&report.runs))
                    (tables::files(report))
                }
                footer { "Made by portbind " (env!("CARGO_PKG_VERSION")) ". Times are UTC." }
            }
        }
    }
}

fn header(report: &Report) -> Markup {
    let totals = report.totals;
    let tiles = [
        (totals.all(), "refused"),
        ((report.ports.rows.len() as u64).saturating_add(report.ports.left_out.rows), "contested ports"),
        (totals.swallowed, "swallowed"),
        (totals.leaks, "leaked sockets"),
    ];
    html! {
        header {
            p.brand { "portbind report" }
            h1 { (sentence(&words::headline(report))) }
            @if let Some(period) = report.period {
                p.lead {
                    @if !report.files.is_empty() {
                        (words::count(report.files.len() as u64, "recording", "recordings")) " · "
                    }
                    (words::period(period, &ZONE)) " UTC"
                }
            }
            dl.tiles {
                @for (number, what) in tiles {
                    div class=[(number == 0).then_some("zero")] { dt { (what) } dd { (number) } }
                }
            }
        }
    }
}

fn causes(causes: &Ranked<CauseRow>, all: u64) -> Markup {
    if causes.rows.is_empty() {
        return html! {};
    }
    let pages = Pages::unpack();
    html! {
        section #causes {
            h2 { "Why" }
            div.scroll {
                table.causes {
                    thead { tr { th.number { "Refusals" } th { "Cause" } th { "What helps" } } }
                    tbody {
                        @for cause in &causes.rows {
                            tr {
                                td.number {
                                    span.big { (cause.count) }
                                    (share(cause.count, all))
                                }
                                td {
                                    (sentence(cause.summary.unescaped()))
                                    (folded_page(&pages, &cause.code))
                                }
                                td {
                                    @if let Some(fix) = &cause.fix { (sentence(fix.text.unescaped())) }
                                    @else { span.quiet { "nothing that is known" } }
                                }
                            }
                        }
                    }
                }
            }
            @if let Some(words) = words::left_out(causes.left_out, "cause", "causes") { p.quiet { (words) } }
        }
    }
}

/// The code of a cause, with its page collapsed.
fn folded_page(pages: &Pages, code: &Foreign) -> Markup {
    html! {
        @match pages.of(code.unescaped()) {
            Some(page) => details.page { summary { code.tag { (foreign(code)) } } pre { (page) } },
            None => div.page { code.tag { (foreign(code)) } },
        }
    }
}

/// A bar whose length shows the part of the whole.
fn share(part: u64, whole: u64) -> Markup {
    let percent = u64::try_from(u128::from(part) * 100 / u128::from(whole.max(1))).unwrap_or(100);
    html! {
        svg.share width="64" height="5" viewBox="0 0 100 5" preserveAspectRatio="none" role="img"
            aria-label=(format!("{percent} percent")) {
            rect.track width="100" height="5" {}
            rect.part width=(percent.max(2)) height="5" {}
        }
    }
}
