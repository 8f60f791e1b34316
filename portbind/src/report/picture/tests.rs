//! For any events, no element lies outside the picture or overlaps another.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Anchor, LABEL, NARROW_LABEL, Picture, Room};
use crate::report::tests::life;

fn check(picture: &Picture) {
    let inside = |x: f64| (0.0..=100.0 + 1e-6).contains(&x);
    for lane in &picture.lanes {
        assert!(lane.bars.iter().all(|bar| inside(bar.x) && inside(bar.x + bar.width) && bar.width > 0.0));
        assert!(lane.bars.is_sorted_by(|one, other| one.x + one.width < other.x), "{lane:?}");
    }
    assert!(picture.flags.iter().all(|flag| inside(flag.x)));
    assert!(picture.flags.is_sorted_by(|one, other| one.x < other.x));
    for (width, rooms) in [(LABEL, &[Room::Wide, Room::Always][..]), (NARROW_LABEL, &[Room::Always][..])] {
        let labelled = picture.flags.iter().filter(|flag| rooms.contains(&flag.label));
        let labels: Vec<_> = labelled.map(|flag| Anchor::at(flag.x).extent(flag.x, width)).collect();
        assert!(labels.is_sorted_by(|one, other| one.1 <= other.0), "{labels:?}");
    }
    assert!(picture.ticks.iter().all(|tick| inside(tick.x)), "{:?}", picture.ticks);
    assert!(picture.ticks.is_sorted_by(|one, other| other.x - one.x >= 13.9), "{:?}", picture.ticks);
    assert!(!picture.ticks.is_empty());
    assert!(picture.cuts.iter().all(|cut| inside(cut.x) && cut.length > SignedDuration::ZERO));
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

#[test]
fn a_night_between_two_runs_is_cut_out() {
    let night = 36_000_000;
    let picture =
        Picture::of(&life(&[(0, 900), (night, night + 500)], &[(300), (700), (night + 200)])).unwrap();
    check(&picture);
    assert_eq!(picture.cuts.len(), 1);
    let times: Vec<Timestamp> = picture.flags.iter().map(|flag| flag.time).collect();
    assert_eq!(times, [at(300), at(700), at(night + 200)]);
    let places: Vec<f64> = picture.flags.iter().map(|flag| flag.x.round()).collect();
    assert_eq!(places, [21.0, 47.0, 79.0]);
}

#[test]
fn even_times_are_not_cut() {
    let picture = Picture::of(&life(&[(0, 60_000)], &[10_000, 20_000, 30_000])).unwrap();
    check(&picture);
    assert_eq!(picture.cuts.len(), 0);
    assert_eq!(picture.ticks.len(), 7);
}

#[test]
fn of_many_runs_the_last_are_shown() {
    let marks: Vec<i64> = (0..40).map(|run| run * 86_400_000).flat_map(|day| [day, day + 1000]).collect();
    let picture = Picture::of(&life(&[], &marks)).unwrap();
    check(&picture);
    assert_eq!(picture.cuts.len(), 10);
    assert_eq!(picture.earlier, 58);
}

#[test]
fn one_instant_is_a_picture() {
    let picture = Picture::of(&life(&[(5, 5)], &[5])).unwrap();
    check(&picture);
    assert!(Picture::of(&life(&[], &[])).is_none());
}

proptest! {
    #[test]
    fn nothing_overlaps(
        spans in proptest::collection::vec((0_i64..100_000_000, 0_i64..5_000_000), 0..60),
        marks in proptest::collection::vec(0_i64..100_000_000, 1..60),
        power in 0_u32..3,
    ) {
        let scaled = |ms: i64| ms / 1000_i64.pow(power);
        let spans: Vec<_> = spans.iter().map(|&(from, length)| (scaled(from), scaled(from) + scaled(length))).collect();
        let marks: Vec<_> = marks.into_iter().map(scaled).collect();
        check(&Picture::of(&life(&spans, &marks)).unwrap());
    }
}
