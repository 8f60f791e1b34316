//! Maps times to positions on the axis. Long stretches without events are cut out.

use jiff::{SignedDuration, Timestamp};

/// Percent of the width that a cut takes.
const CUT: f64 = 2.4;
/// A stretch is cut out if it is this many times as long as the longest one that stays.
const LONG: i128 = 10;
/// Minimum length of a cut stretch, in nanoseconds.
const WORTH: i128 = 30 * SECOND;
/// The most cuts; if there are more pieces, only the last ones are shown.
const MOST_CUTS: usize = 10;
/// The minimum width of a piece in percent.
const LEAST: f64 = 3.0;
/// Half the length of a piece for a single instant, in nanoseconds.
const INSTANT: i128 = 250_000_000;
/// Distance of two labels on the axis, in percent.
const APART: f64 = 14.0;
/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;
/// Distances between labels, in milliseconds.
const STEPS: [i128; 32] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    172_800_000,
    604_800_000,
    2_592_000_000,
    31_536_000_000,
    315_360_000_000,
];

/// A time on the axis.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Tick {
    /// Percent from the left.
    pub x: f64,
    /// The time of this label.
    pub time: Timestamp,
    /// The distance to the neighbouring labels, which determines the label's precision.
    pub step: SignedDuration,
}

/// A stretch that was cut out.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Cut {
    /// Percent from the left to the middle of the cut.
    pub x: f64,
    /// The length of the stretch.
    pub length: SignedDuration,
}

/// The axis.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pieces: Vec<Piece>,
}

/// A shown stretch: nanoseconds since 1970, and percent.
#[derive(Clone, Copy, Debug)]
struct Piece {
    from: i128,
    to: i128,
    x: f64,
    width: f64,
}

impl Scale {
    /// An axis for these instants; `None` if there are none.
    pub(super) fn new(instants: impl Iterator<Item = Timestamp>) -> Option<Self> {
        let mut instants: Vec<i128> = instants.map(Timestamp::as_nanosecond).collect();
        instants.sort_unstable();
        let longest = longest_kept(&instants);
        let mut pieces: Vec<(i128, i128)> = Vec::new();
        for instant in instants {
            match pieces.last_mut() {
                Some((_, to)) if instant - *to <= longest => *to = instant,
                _ => pieces.push((instant, instant)),
            }
        }
        let shown = pieces.split_off(pieces.len().saturating_sub(MOST_CUTS + 1));
        (!shown.is_empty()).then(|| Self { pieces: laid_out(&shown) })
    }

    /// Percent from the left; `None` before the first piece. A time within a cut is at the end of the piece before.
    pub(super) fn x(&self, time: Timestamp) -> Option<f64> {
        let time = time.as_nanosecond();
        let piece = self.pieces.iter().rev().find(|piece| piece.from <= time)?;
        Some(
            piece.x
                + piece.width * ratio((time - piece.from).min(piece.to - piece.from), piece.to - piece.from),
        )
    }

    /// The cuts.
    pub(super) fn cuts(&self) -> impl Iterator<Item = Cut> {
        self.pieces.windows(2).filter_map(|pair| {
            let [one, other] = pair else { return None };
            let length = SignedDuration::from_nanos_i128((other.from - one.to).max(0));
            Some(Cut { x: f64::midpoint(one.x + one.width, other.x), length })
        })
    }

    /// Labels with enough distance between them.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let mut ticks: Vec<Tick> = Vec::new();
        for piece in &self.pieces {
            let room = |x: f64, ticks: &[Tick]| ticks.last().is_none_or(|last| x - last.x >= APART);
            let before = ticks.len();
            for (instant, step) in piece.round_times() {
                let x = piece.x + piece.width * ratio(instant - piece.from, piece.to - piece.from);
                if let (true, Some(tick)) = (room(x, &ticks), tick(x, instant, step)) {
                    ticks.push(tick);
                }
            }
            let middle = piece.from.midpoint(piece.to);
            let x = piece.x + piece.width / 2.0;
            if ticks.len() == before && room(x, &ticks) {
                ticks.extend(tick(x, middle, (piece.to - piece.from) / 2));
            }
        }
        ticks
    }
}

impl Piece {
    /// Round times within the piece, and the nanoseconds between them.
    fn round_times(self) -> impl Iterator<Item = (i128, i128)> {
        let length = self.to - self.from;
        let wide_enough = |step: &i128| self.width * ratio(*step, length) >= APART;
        let step = STEPS.iter().map(|step| step * (SECOND / 1000)).find(wide_enough);
        let times = step.filter(|step| *step <= length).into_iter().flat_map(move |step| {
            let first = (self.from.div_euclid(step) + 1) * step;
            (0..)
                .map(move |index| first + index * step)
                .take_while(move |time| *time < self.to)
                .zip(std::iter::repeat(step))
        });
        times.take(16)
    }
}

fn tick(x: f64, instant: i128, step: i128) -> Option<Tick> {
    let time = Timestamp::from_nanosecond(instant).ok()?;
    Some(Tick { x, time, step: SignedDuration::from_nanos_i128(step) })
}

/// The longest stretch between two instants that is not cut out.
fn longest_kept(instants: &[i128]) -> i128 {
    let mut stretches: Vec<i128> =
        instants.windows(2).filter_map(|pair| Some(pair.get(1)? - pair.first()?)).collect();
    stretches.sort_unstable_by(|one, other| other.cmp(one));
    let total: i128 = stretches.iter().sum();
    let mut cut_out = 0;
    let mut longest = stretches.first().copied().unwrap_or(0);
    for pair in stretches.windows(2) {
        let [one, other] = *pair else { continue };
        cut_out += one;
        // A cut is worthwhile only if it removes nearly all of the time.
        if one >= WORTH
            && other > 0
            && one > other.saturating_mul(LONG)
            && cut_out.saturating_mul(5) > total.saturating_mul(4)
        {
            longest = other;
        }
    }
    longest
}

/// Assigns positions to the pieces: the minimum width to each, and the rest by length.
fn laid_out(pieces: &[(i128, i128)]) -> Vec<Piece> {
    let count = f64::from(u32::try_from(pieces.len()).unwrap_or(u32::MAX));
    let between = pieces.windows(2).filter_map(|pair| Some(pair.get(1)?.0 - pair.first()?.1));
    let nearest = between.min().unwrap_or(i128::MAX);
    let widened = pieces.iter().map(|&(from, to)| {
        let margin = if from == to { INSTANT } else { ((to - from) / 24).max(1) };
        let margin = margin.min(nearest / 4);
        (from - margin, to + margin)
    });
    let widened: Vec<(i128, i128)> = widened.collect();
    let total = widened.iter().map(|(from, to)| to - from).sum();
    let free = 100.0 - CUT * (count - 1.0) - LEAST * count;
    let mut x = 0.0;
    let mut laid_out = Vec::new();
    for (from, to) in widened {
        let width = free.mul_add(ratio(to - from, total), LEAST);
        laid_out.push(Piece { from, to, x, width });
        x += width + CUT;
    }
    laid_out
}

/// The ratio of part and whole, between 0 and 1.
#[expect(clippy::cast_precision_loss, reason = "the pixels of a picture need no more")]
fn ratio(part: i128, whole: i128) -> f64 {
    if whole <= 0 { 0.0 } else { (part as f64 / whole as f64).clamp(0.0, 1.0) }
}
