//! The contested ports: the picture of each, and its refusals with the remedies.

use maud::{Markup, html};

use super::markup::{ZONE, foreign, place, sentence, visible};
use super::timeline;
use crate::escape::is_hidden;
use crate::report::print::words;
use crate::report::{Fix, Foreign, Group, Party, Place, PortRow, Report};

/// Ports that are expanded at first.
const UNFOLDED: usize = 3;
/// Groups of refusals per port that are expanded at first.
const SHOWN: usize = 2;

pub(super) fn section(report: &Report) -> Markup {
    let ports = &report.ports;
    if ports.rows.is_empty() {
        return html! {};
    }
    let several =
        ports.rows.iter().any(|row| ports.rows.iter().any(|other| row.place.netns != other.place.netns));
    html! {
        section #ports {
            h2 { "Contested ports" }
            (timeline::legend())
            @for (index, port) in ports.rows.iter().enumerate() {
                details.port open[index < UNFOLDED] {
                    summary {
                        span.name { (place(&port.place)) }
                        span.note {
                            (port.place.class().as_str())
                            @if several { ", " (namespace(&port.place, port.netns_name.as_ref())) }
                        }
                        span.count { (words::refusals(port.count)) }
                    }
                    (timeline::figure(port, index))
                    (groups(port))
                }
            }
            @if let Some(words) = words::left_out(ports.left_out, "port", "ports") { p.quiet { (words) } }
        }
    }
}

fn namespace(place: &Place, name: Option<&Foreign>) -> Markup {
    html! {
        "network namespace "
        @match name { Some(name) => (foreign(name)), None => (place.netns) }
    }
}

fn groups(port: &PortRow) -> Markup {
    let rows = &port.groups.rows;
    let (first, others) = rows.split_at(rows.len().min(SHOWN));
    html! {
        (list(first))
        @if !others.is_empty() {
            details.more {
                summary { (words::count(others.len() as u64, "other kind", "other kinds")) " of refusal" }
                (list(others))
            }
        }
        @if let Some(words) = words::left_out(port.groups.left_out, "kind", "kinds") { p.quiet { (words) } }
    }
}

fn list(groups: &[Group]) -> Markup {
    html! { ol.groups { @for group in groups { li { (event(group)) } } } }
}

fn event(group: &Group) -> Markup {
    html! {
        dl.event {
            dt { "refused" }
            dd {
                (party(&group.caller, &asked(group)))
                div.quiet { (times(group)) }
            }
            dt { "held by" }
            dd {
                @match &group.holder {
                    Some((holder, state)) => (party(holder, &held(state, group.more_holders))),
                    None => span.quiet { "nobody who was found" }
                }
            }
            dt { "why" }
            dd {
                (sentence(group.summary.unescaped())) " " code.tag { (foreign(&group.cause)) }
                @if group.confidence.unescaped() != "kernel" { " " span.quiet { "(" (foreign(&group.confidence)) ")" } }
            }
            @for (index, fix) in group.fixes.iter().enumerate() {
                dt { @if index == 0 { "fix" } @else { "or" } }
                dd { (remedy(fix)) }
            }
        }
    }
}

fn asked(group: &Group) -> Markup {
    html! {
        (foreign(&group.operation)) " " (foreign(&group.asked)) " → " b.error { (foreign(&group.error)) }
    }
}

fn held(state: &Foreign, more: usize) -> Markup {
    html! { (foreign(state)) @if more > 0 { span.quiet { " and " (more) " more" } } }
}

/// A process, its action, and its known details.
fn party(party: &Party, what: &Markup) -> Markup {
    html! {
        span.who {
            b.program { (sentence(party.side.runs.unescaped())) }
            @if let Some(pid) = party.pid { span.pid { (pid) } }
        }
        span.what { (what) }
        @if let Some(test) = &party.side.test { span.test { (foreign(test)) } }
        @if let Some(home) = &party.home { span.quiet { (sentence(home.unescaped())) } }
        @if let Some(user) = &party.user { span.quiet { "user " (foreign(user)) } }
        @if !party.args.unescaped().is_empty() { div.args { (foreign(&party.args)) } }
    }
}

/// When, how often, and the consequences.
fn times(group: &Group) -> Markup {
    let (first, last) = group.period;
    html! {
        time datetime=(first.to_string()) { (words::clock(first, &ZONE)) }
        @if group.count > 1 {
            ", " (group.count) " times until "
            time datetime=(last.to_string()) { (words::clock(last, &ZONE)) }
        }
        @if group.swallowed > 0 { " · " span.warn { (words::swallowed(group)) } }
        @if let Some(free) = &group.free { " · " (words::free(free)) }
    }
}

/// The remedy and its command: a click on the command selects all of it.
fn remedy(fix: &Fix) -> Markup {
    let text = fix.text.unescaped();
    let Some(command) = fix.command.as_ref().map(Foreign::unescaped) else { return sentence(text) };
    // The sentence may end with the command.
    let what = text.strip_suffix(command).map_or(text, |what| what.trim_end_matches([':', ' ']));
    html! {
        (sentence(what))
        // The command to copy must be exactly the visible one.
        @if command.chars().any(is_hidden) {
            div.quiet { "its command holds hidden characters: " (visible(command)) }
        } @else {
            code.command title="a click selects it all" { (command) }
        }
    }
}
