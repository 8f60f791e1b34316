//! The picture of a port: a lane for each program that held the port, and flags for the refusals.
//!
//! Positions are in percent and sizes in pixels, so that letters keep their size at any width.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::markup::ZONE;
use crate::escape::{Prose, Visible, cut};
use crate::report::picture::{Anchor, Bar, Cut, Flag, Lane, Picture, Room, Tick};
use crate::report::print::words;
use crate::report::{PortRow, State};

/// Pixels above the first lane.
const TOP: usize = 40;
/// Pixels of a lane.
const LANE: usize = 46;
/// Pixels from the top of a lane to its bar, and height of the bar.
const BAR: (usize, usize) = (22, 14);
/// Pixels below the last lane.
const BOTTOM: usize = 30;
/// Additional pixels below, if stretches are cut out.
const CUTS: usize = 14;
/// Columns of a program's name.
const NAME: usize = 34;
/// Columns of the text after the name.
const REST: usize = 70;

/// Hatch patterns, for all pictures of the page.
pub(super) fn patterns() -> Markup {
    html! {
        svg.defs width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.ground width="7" height="7" {}
                    rect.line width="3" height="7" {}
                }
            }
        }
    }
}

/// The legend of the colours.
pub(super) fn legend() -> Markup {
    let states = [
        (State::Listen, "listens"),
        (State::Bound, "bound, does not listen"),
        (State::Connection, "connection"),
        (State::TimeWait, "TIME_WAIT"),
    ];
    html! {
        ul.legend aria-label="legend" {
            @for (state, text) in states {
                li {
                    svg width="26" height="12" aria-hidden="true" {
                        rect class=(class(state)) width="26" height="12" rx="3" {}
                    }
                    (text)
                }
            }
            li {
                svg width="26" height="12" aria-hidden="true" {
                    (open_end(9, -1, State::Listen)) rect.listen x="14" width="12" height="12" rx="3" {}
                }
                "end not seen"
            }
            li { svg width="14" height="12" aria-hidden="true" { path.flag d="M1 1h12l-6 9z" {} } "refused" }
        }
    }
}

/// The picture of a port.
pub(super) fn figure(port: &PortRow, index: usize) -> Markup {
    let Some(picture) = Picture::of(&port.timeline) else { return html! {} };
    let bottom = TOP + LANE * picture.lanes.len();
    let below = if picture.cuts.is_empty() { BOTTOM } else { BOTTOM + CUTS };
    let id = format!("t{index}");
    html! {
        figure {
            svg.timeline width="100%" height=(bottom + below) role="img" aria-labelledby=(format!("{id} {id}d")) {
                title id=(id) { "Who held " (words::place(&port.place)) ", and when it was refused" }
                desc id=(format!("{id}d")) { (description(&picture)) }
                @for (row, _) in picture.lanes.iter().enumerate().step_by(2) {
                    rect.band x="0" y=(TOP + LANE * row) width="100%" height=(LANE) {}
                }
                @for flag in &picture.flags {
                    line.fall x1=(percent(flag.x)) x2=(percent(flag.x)) y1="28" y2=(bottom) {}
                }
                @for (row, lane) in picture.lanes.iter().enumerate() { (bars(lane, TOP + LANE * row)) }
                @for cut in &picture.cuts { (torn(*cut, bottom)) }
                @for (row, lane) in picture.lanes.iter().enumerate() { (label(lane, TOP + LANE * row)) }
                @for flag in &picture.flags { (flagged(flag)) }
                (axis(&picture.ticks, bottom))
            }
            (remarks(port, &picture))
        }
    }
}

/// Notes about what the picture omits.
fn remarks(port: &PortRow, picture: &Picture) -> Markup {
    let others = picture.lanes_left_out as u64 + port.timeline.spans_left_out;
    html! {
        @if others > 0 || picture.earlier > 0 {
            figcaption.quiet {
                @if others > 0 { "Not shown: " (words::count(others, "more holder", "more holders")) ". " }
                @if picture.earlier > 0 { "Not shown: " (words::refusals(picture.earlier)) " before this. " }
            }
        }
    }
}

/// A description of the picture in words.
fn description(picture: &Picture) -> String {
    let lanes = picture.lanes.iter().map(|lane| {
        let name = Prose(lane.side.runs.unescaped()).to_string();
        let times: Vec<String> = lane.bars.iter().take(3).map(when).collect();
        format!("{} of {name}: {}. ", words::state(lane.state), times.join("; "))
    });
    let flags = picture.flags.iter().take(20).map(|flag| words::clock(flag.time, &ZONE));
    format!("{}Refused at {}.", lanes.collect::<String>(), flags.collect::<Vec<_>>().join(", "))
}

fn bars(lane: &Lane, top: usize) -> Markup {
    let (y, height) = (top + BAR.0, BAR.1);
    html! {
        @for bar in &lane.bars {
            g {
                title { (title(lane, bar)) }
                svg.edge x=(percent(bar.x)) y=(y) {
                    @if bar.from.is_none() { (open_end(-4, -1, lane.state)) }
                }
                rect
                    class=(class(lane.state))
                    x=(percent(bar.x)) y=(y) width=(percent(bar.width)) height=(height) rx="3" {}
                svg.edge x=(percent(bar.x + bar.width)) y=(y) {
                    @if bar.to.is_none() { (open_end(1, 1, lane.state)) }
                }
            }
        }
    }
}

fn label(lane: &Lane, top: usize) -> Markup {
    html! {
        text x="8" y=(top + 15) {
            tspan.name { (cut(&Prose(lane.side.runs.unescaped()).to_string(), NAME)) }
            tspan.rest.wide dx="8" { (rest(lane)) }
        }
    }
}

/// The details in addition to the program.
fn rest(lane: &Lane) -> String {
    let mut words = vec![words::state(lane.state).to_owned()];
    if let [bar] = &*lane.bars {
        if bar.count > 1 {
            words.push(words::count(bar.count as u64, "socket", "sockets"));
        }
        if let [pid] = &*bar.pids {
            words.push(format!("pid {pid}"));
        }
    } else {
        words.push(format!("{} times", lane.bars.len()));
    }
    words.extend(lane.side.test.as_ref().map(|test| Visible(test.unescaped()).to_string()));
    cut(&words.join(" · "), REST).into_owned()
}

/// Slivers that fade out: the bar continues, but its end is unknown.
fn open_end(x: i32, step: i32, state: State) -> Markup {
    html! {
        @for (index, opacity) in (0..).zip(["0.6", "0.35", "0.18"]) {
            rect class=(class(state)) x=(x + step * index * 5) y="0" width="3" height=(BAR.1) opacity=(opacity) {}
        }
    }
}

fn title(lane: &Lane, bar: &Bar) -> String {
    let name = Prose(lane.side.runs.unescaped()).to_string();
    let pids: Vec<String> = bar.pids.iter().map(ToString::to_string).collect();
    let pids = if pids.is_empty() { String::new() } else { format!(" ({})", pids.join(", ")) };
    let sockets = if bar.count > 1 { format!(" {} sockets,", bar.count) } else { String::new() };
    format!("{name}{pids}{sockets} {} {}", words::state(lane.state), when(bar))
}

fn when(bar: &Bar) -> String {
    let from = bar.from.map_or_else(|| "before tracing".to_owned(), |from| words::clock(from, &ZONE));
    match (bar.from, bar.to) {
        (Some(began), Some(to)) => {
            format!("{from} to {} ({})", words::clock(to, &ZONE), words::length(to.duration_since(began)))
        }
        (None, Some(to)) => format!("{from} to {}", words::clock(to, &ZONE)),
        (_, None) => format!("since {from}"),
    }
}

fn flagged(flag: &Flag) -> Markup {
    let time = words::clock(flag.time, &ZONE);
    let many = if flag.count > 1 { format!(" ×{}", flag.count) } else { String::new() };
    html! {
        g {
            title { "refused at " (time) (many) }
            svg.edge x=(percent(flag.x)) y="18" { path.flag d="M-6 0h12l-6 9z" {} }
            @if flag.label != Room::None {
                text
                    class=(wide("when", flag.label == Room::Wide))
                    x=(percent(flag.x)) y="12" text-anchor=(anchor(flag.x)) { (time) (many) }
            }
        }
    }
}

fn axis(ticks: &[Tick], bottom: usize) -> Markup {
    html! {
        line.axis x1="0" x2="100%" y1=(bottom) y2=(bottom) {}
        @for (index, tick) in ticks.iter().enumerate() {
            line.axis x1=(percent(tick.x)) x2=(percent(tick.x)) y1=(bottom) y2=(bottom + 5) {}
            text class=(wide("tick", index % 2 == 1)) x=(percent(tick.x)) y=(bottom + 19)
                text-anchor=(anchor(tick.x)) { (tick_label(tick.time, tick.step)) }
        }
    }
}

/// The mark of a cut stretch, with its length.
fn torn(cut: Cut, bottom: usize) -> Markup {
    html! {
        svg.edge x=(percent(cut.x)) y="0" {
            title { (words::length(cut.length)) " cut out" }
            rect.gap x="-9" y=(TOP) width="18" height=(bottom - TOP + 1) {}
            path.torn d=(format!("M-9 {TOP}V{bottom}M9 {TOP}V{bottom}")) {}
            text.cut.wide y=(bottom + 33) text-anchor="middle" { (words::short(cut.length)) " later" }
        }
    }
}

/// A CSS class, and whether only a wide picture has room.
fn wide(class: &str, is_wide: bool) -> String {
    if is_wide { format!("{class} wide") } else { class.to_owned() }
}

/// The time on the axis, as precise as the distance to its neighbours requires.
fn tick_label(time: Timestamp, step: SignedDuration) -> String {
    let format = match step.as_millis() {
        0..100 => "%H:%M:%S%.3f",
        100..1000 => "%H:%M:%S%.1f",
        1000..60_000 => "%H:%M:%S",
        60_000..86_400_000 => "%H:%M",
        _ => "%b %d",
    };
    time.to_zoned(ZONE).strftime(format).to_string()
}

/// The text anchor that keeps a label inside the picture.
fn anchor(x: f64) -> &'static str {
    match Anchor::at(x) {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    }
}

fn percent(x: f64) -> String {
    format!("{x:.2}%")
}

const fn class(state: State) -> &'static str {
    match state {
        State::Listen => "listen",
        State::Bound => "bound",
        State::Connection => "connection",
        State::TimeWait => "time-wait",
    }
}
