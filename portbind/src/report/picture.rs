//! The layout of a timeline picture. All positions are in percent of the width, so that the picture scales to any
//! width.

use crate::order::sort_by_key;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::side::Side;
use super::timeline::{Mark, Span, State, Timeline, Timeline as Life};

mod scale;
#[cfg(test)]
mod tests;

use scale::Scale;
pub use scale::{Cut, Tick};

/// The most lanes.
const MOST_LANES: usize = 10;
/// The minimum width of a bar in percent.
const LEAST_BAR: f64 = 0.7;
/// Flags closer than this many percent are merged.
const ONE_FLAG: f64 = 1.2;
/// Percent that a flag's label takes in a wide picture.
const LABEL: f64 = 10.0;
/// Percent that a flag's label takes in a narrow picture.
const NARROW_LABEL: f64 = 30.0;
/// Pids listed per bar.
const MOST_PIDS: usize = 3;

/// The picture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Picture {
    /// One lane per program and state, in the order of their starts.
    pub lanes: Vec<Lane>,
    /// The number of lanes that are not shown.
    pub lanes_left_out: usize,
    /// The positions of the refusals.
    pub flags: Vec<Flag>,
    /// Refusals before the shown period.
    pub earlier: u64,
    /// Times on the axis.
    pub ticks: Vec<Tick>,
    /// The omitted stretches.
    pub cuts: Vec<Cut>,
}

/// The sockets of one program in one state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Lane {
    /// The program.
    pub side: Side,
    /// The state of the sockets.
    pub state: State,
    /// At least one of the sockets was in the way.
    pub in_the_way: bool,
    /// The bars from left to right, without overlaps.
    pub bars: Vec<Bar>,
}

/// A period in which one or more sockets held the port.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Bar {
    /// Percent from the left.
    pub x: f64,
    /// Percent of the width.
    pub width: f64,
    /// The number of sockets.
    pub count: usize,
    /// The first few processes.
    pub pids: Vec<u32>,
    /// The start; `None` if it was before tracing began.
    pub from: Option<Timestamp>,
    /// The end; `None` if it was not seen.
    pub to: Option<Timestamp>,
}

/// Refusals at one position.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Flag {
    /// Percent from the left.
    pub x: f64,
    /// The number of refusals.
    pub count: u64,
    /// Time of the first refusal.
    pub time: Timestamp,
    /// In which pictures there is room for a label.
    pub label: Room,
}

/// In which pictures there is room for a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Room {
    /// In no picture.
    None,
    /// In a wide picture.
    Wide,
    /// Also in a narrow picture.
    Always,
}

/// The part of a label that is at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

impl Anchor {
    /// The anchor with which a label stays inside the picture.
    #[must_use]
    pub const fn at(x: f64) -> Self {
        match x {
            ..8.0 => Self::Start,
            92.0.. => Self::End,
            _ => Self::Middle,
        }
    }

    /// Start and end of a label of this width.
    const fn extent(self, x: f64, width: f64) -> (f64, f64) {
        match self {
            Self::Start => (x, x + width),
            Self::Middle => (x - width / 2.0, x + width / 2.0),
            Self::End => (x - width, x),
        }
    }
}

impl Picture {
    /// The picture of a timeline; `None` if it is empty.
    #[must_use]
    pub fn of(life: &Life) -> Option<Self> {
        let instants = life.spans.iter().flat_map(|span| [span.begin(), span.end()]);
        let scale = Scale::new(instants.chain(life.marks().map(|mark| mark.time)))?;
        let mut lanes = lanes(life, &scale);
        // Lanes that were in the way are kept.
        let left_out = lanes.len().saturating_sub(MOST_LANES);
        sort_by_key(&mut lanes, |lane| !lane.in_the_way);
        lanes.truncate(MOST_LANES);
        lanes.sort_by(|one, other| begin(one).total_cmp(&begin(other)));
        let (flags, earlier) = flags(life, &scale);
        let (ticks, cuts) = (scale.ticks(), scale.cuts().collect());
        Some(Self { lanes, lanes_left_out: left_out, flags, earlier, ticks, cuts })
    }
}

fn begin(lane: &Lane) -> f64 {
    lane.bars.first().map_or(0.0, |bar| bar.x)
}

fn lanes(life: &Timeline, scale: &Scale) -> Vec<Lane> {
    let mut spans: BTreeMap<(&Side, State), Vec<&Span>> = BTreeMap::new();
    for span in &life.spans {
        spans.entry((&span.side, span.state)).or_default().push(span);
    }
    let lanes = spans.into_iter().map(|((side, state), spans)| Lane {
        side: side.clone(),
        state,
        in_the_way: spans.iter().any(|span| span.in_the_way),
        bars: bars(&spans, scale),
    });
    lanes.filter(|lane| !lane.bars.is_empty()).collect()
}

/// The bars of sorted spans; overlapping ones are merged.
fn bars(spans: &[&Span], scale: &Scale) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for span in spans {
        let Some(end) = scale.x(span.end()) else { continue };
        let begin = scale.x(span.begin()).unwrap_or(0.0).min(100.0 - LEAST_BAR);
        let width = (end - begin).max(LEAST_BAR);
        match bars.last_mut() {
            Some(last) if begin <= last.x + last.width => last.join(span, begin + width),
            _ => bars.push(Bar {
                x: begin,
                width,
                count: 1,
                pids: span.pid.into_iter().collect(),
                from: span.from,
                to: span.to,
            }),
        }
    }
    bars
}

impl Bar {
    fn join(&mut self, span: &Span, end: f64) {
        self.width = self.width.max(end - self.x);
        self.count += 1;
        self.from = self.from.zip(span.from).map(|(one, other)| one.min(other));
        self.to = self.to.zip(span.to).map(|(one, other)| one.max(other));
        let new = span.pid.filter(|pid| !self.pids.contains(pid) && self.pids.len() < MOST_PIDS);
        self.pids.extend(new);
    }
}

/// The flags, and the number of refusals before the first one.
fn flags(life: &Timeline, scale: &Scale) -> (Vec<Flag>, u64) {
    let mut flags: Vec<Flag> = Vec::new();
    let mut earlier = 0_u64;
    let (mut wide, mut narrow) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for Mark { time, count } in life.marks() {
        let Some(x) = scale.x(time) else {
            earlier = earlier.saturating_add(count);
            continue;
        };
        match flags.last_mut() {
            Some(last) if x - last.x < ONE_FLAG => last.count = last.count.saturating_add(count),
            _ => {
                let (begin, end) = Anchor::at(x).extent(x, LABEL);
                let (narrow_begin, narrow_end) = Anchor::at(x).extent(x, NARROW_LABEL);
                let label = match (begin >= wide, narrow_begin >= narrow) {
                    (true, true) => Room::Always,
                    (true, false) => Room::Wide,
                    (false, _) => Room::None,
                };
                if label != Room::None {
                    wide = end;
                }
                if label == Room::Always {
                    narrow = narrow_end;
                }
                flags.push(Flag { x, count, time, label });
            }
        }
    }
    (flags, earlier)
}
