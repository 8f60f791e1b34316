//! Words that the text and the HTML page share.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::escape::Escaped;
use crate::report::{Free, Group, LeftOut, Place, Report, State};

/// A number and its noun.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `12 refusals`.
pub(super) fn refusals(number: u64) -> String {
    count(number, "refusal", "refusals")
}

/// A duration in its two largest units.
pub(super) fn length(length: SignedDuration) -> String {
    let millis = length.as_millis().max(0);
    let (seconds, minutes, hours) = (millis / 1000, millis / 60_000, millis / 3_600_000);
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..10_000 => format!("{seconds}.{} s", millis % 1000 / 100),
        10_000..60_000 => format!("{seconds} s"),
        60_000..3_600_000 => format!("{minutes} min {} s", seconds % 60),
        3_600_000..86_400_000 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

/// A duration in its largest unit.
pub(super) fn short(length: SignedDuration) -> String {
    let words = self::length(length);
    words.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")
}

/// Like [`length`], for milliseconds.
pub(super) fn millis(millis: f64) -> String {
    let duration = Duration::try_from_secs_f64(millis.max(0.0) / 1000.0).unwrap_or(Duration::MAX);
    length(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX))
}

/// The date and the time of day.
pub(super) fn date(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The time of day to the millisecond.
pub(super) fn clock(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string()
}

/// The first and the last time.
pub(super) fn period((from, to): (Timestamp, Timestamp), zone: &TimeZone) -> String {
    if to.duration_since(from) < SignedDuration::from_millis(1) {
        return date(from, zone);
    }
    let same_day = from.to_zoned(zone.clone()).date() == to.to_zoned(zone.clone()).date();
    let to_words =
        if same_day { to.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string() } else { date(to, zone) };
    format!("{} to {to_words} ({})", date(from, zone), length(to.duration_since(from)))
}

/// When the port was free again.
pub(super) fn free(free: &Free) -> String {
    if free.least_ms + 1.0 >= free.most_ms {
        format!("free again after {}", millis(free.most_ms))
    } else {
        format!("free again after {} to {}", millis(free.least_ms), millis(free.most_ms))
    }
}

/// How many of the refusals were swallowed.
pub(super) fn swallowed(group: &Group) -> String {
    if group.swallowed == group.count {
        "swallowed".to_owned()
    } else {
        format!("{} swallowed", group.swallowed)
    }
}

/// The state of a socket, named as other tools name it.
pub(super) const fn state(state: State) -> &'static str {
    match state {
        State::Listen => "LISTEN",
        State::Bound => "BOUND",
        State::Connection => "CONNECTION",
        State::TimeWait => "TIME-WAIT",
    }
}

/// The port or the escaped name.
pub(super) fn place(place: &Place) -> String {
    let kind = Escaped(place.kind.unescaped());
    match (place.port, &place.name) {
        (Some(0), _) => format!("{kind} any port"),
        (Some(port), _) => format!("{kind} {port}"),
        (None, Some(name)) => format!("{kind} {}", Escaped(name.unescaped())),
        (None, None) => kind.to_string(),
    }
}

/// The number of omitted rows; `None` if there are none.
pub(super) fn left_out(left: LeftOut, one: &str, many: &str) -> Option<String> {
    (left.count > 0).then(|| match left.rows {
        0 => format!("{} more", refusals(left.count)),
        rows => format!(
            "{} with {}",
            count(rows, &format!("more {one}"), &format!("more {many}")),
            refusals(left.count)
        ),
    })
}

/// The known gaps, one sentence each.
pub(super) fn gaps(report: &Report) -> Vec<String> {
    let totals = report.totals;
    let mut gaps = Vec::new();
    if totals.lost > 0 {
        gaps.push(format!("{} lost while tracing", refusals(totals.lost)));
    }
    let counted = totals.coalesced.saturating_sub(totals.caused);
    if counted > 0 {
        gaps.push(format!("{} only counted", count(counted, "more refusal was", "more refusals were")));
    }
    gaps
}

/// The whole report in one sentence with unescaped names, to be printed as prose.
pub(super) fn headline(report: &Report) -> String {
    let refusals = report.totals.all();
    let Some(first) = report.causes.rows.first() else {
        return match refusals {
            0 => "No bind was refused".to_owned(),
            _ => format!("{}, of unknown causes", count(refusals, "refused bind", "refused binds")),
        };
    };
    let summary = first.summary.unescaped();
    match (refusals, first.count) {
        (1, _) => format!("One bind was refused: {summary}"),
        (all, count) if all == count => format!("All {all} refused binds: {summary}"),
        (all, count) if count.saturating_mul(2) < all => {
            let causes = (report.causes.rows.len() as u64).saturating_add(report.causes.left_out.rows);
            format!("{all} refused binds, {}", self::count(causes, "cause", "causes"))
        }
        (all, count) => format!("{count} of {all} refused binds: {summary}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let words =
            [0, 999, 1000, 9_950, 10_000, 61_000, 3_660_000, 90_000_000].map(|ms| millis(f64::from(ms)));
        assert_eq!(words, ["0 ms", "999 ms", "1.0 s", "9.9 s", "10 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]);
        assert_eq!(millis(f64::NAN), "0 ms");
        assert_eq!(millis(-1.0), "0 ms");
        assert!(millis(f64::MAX).ends_with(" h"));
    }
}
