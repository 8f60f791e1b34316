//! The picture of a timeline: what stands where. All places are in percent of the width, so that it fits any.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::side::Side;
use super::timeline::{Mark, Span, State, Timeline, Timeline as Life};

mod scale;
#[cfg(test)]
mod tests;

use scale::Scale;
pub use scale::{Cut, Tick};

/// Lanes at most.
const MOST_LANES: usize = 10;
/// Percent that a bar has at least.
const LEAST_BAR: f64 = 0.7;
/// Flags that are nearer than this are one.
const ONE_FLAG: f64 = 1.2;
/// Percent that the label of a flag takes in a wide picture.
const LABEL: f64 = 10.0;
/// The same in a narrow one.
const NARROW_LABEL: f64 = 30.0;
/// Pids that are named of a bar.
const MOST_PIDS: usize = 3;

/// The picture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Picture {
    /// One for each program and state, in the order in which they begin.
    pub lanes: Vec<Lane>,
    /// Lanes that are not shown.
    pub lanes_left_out: usize,
    /// Where the refusals fell.
    pub flags: Vec<Flag>,
    /// Refusals that lie before what is shown.
    pub earlier: u64,
    /// Times on the axis.
    pub ticks: Vec<Tick>,
    /// Stretches that were cut out.
    pub cuts: Vec<Cut>,
}

/// What one program held.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Lane {
    /// The program.
    pub side: Side,
    /// In which state.
    pub state: State,
    /// Something of it stood in the way.
    pub in_the_way: bool,
    /// When, from left to right; none overlaps another.
    pub bars: Vec<Bar>,
}

/// A time in which the port was held, by one socket or by several at once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Bar {
    /// Percent from the left.
    pub x: f64,
    /// Percent.
    pub width: f64,
    /// How many sockets.
    pub count: usize,
    /// Processes, the first few.
    pub pids: Vec<u32>,
    /// When it began; `None` if that was before tracing began.
    pub from: Option<Timestamp>,
    /// When it ended; `None` if that was not seen.
    pub to: Option<Timestamp>,
}

/// Refusals at one place.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Flag {
    /// Percent from the left.
    pub x: f64,
    /// How many.
    pub count: u64,
    /// Time of the first.
    pub time: Timestamp,
    /// Where there is room for a label.
    pub label: Room,
}

/// Where there is room for a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Room {
    /// Nowhere.
    None,
    /// In a wide picture.
    Wide,
    /// In a narrow one, too.
    Always,
}

/// Which part of a label stands at its place.
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
    /// The one with which a label stays inside of the picture.
    #[must_use]
    pub const fn at(x: f64) -> Self {
        match x {
            ..8.0 => Self::Start,
            92.0.. => Self::End,
            _ => Self::Middle,
        }
    }

    /// Where a label of this width begins and ends.
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
        // Those that stood in the way stay.
        let left_out = lanes.len().saturating_sub(MOST_LANES);
        lanes.sort_by_key(|lane| !lane.in_the_way);
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

/// The bars of spans that are in order; those that would overlap are one.
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

/// The flags, and how many refusals lie before all of them.
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
