//! Reads the time in a log line.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use regex::bytes::{Captures, Regex};

/// What timestamps may omit: the zone, and in syslog the year.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Clock {
    /// The zone of timestamps without one.
    pub zone: TimeZone,
    /// The day on which the log is read.
    pub today: Date,
}

impl Clock {
    /// A log whose timestamps without a zone are in `zone`, read on the day `today`.
    #[must_use]
    pub const fn new(zone: TimeZone, today: Date) -> Self {
        Self { zone, today }
    }
}

/// The formats of timestamps. The first one in the line is used: a collector put it in front.
static FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // RFC 3339 and its variants (Python and Java with a comma, nginx and Go with slashes, PostgreSQL with a separate
    // zone); day, month and year (Redis, named, Erlang, access logs); syslog and asctime.
    const CLOCK: &str = r"(?P<H>[0-9 ][0-9]):(?P<M>[0-9]{2}):(?P<S>[0-9]{2})(?:[.,](?P<F>[0-9]{1,9}))?";
    let number = |pattern: &str, form: &str| {
        let mut pattern = pattern.replace("CLOCK", CLOCK);
        for name in ["H", "M", "S", "F", "y", "m", "d", "z"] {
            pattern = pattern.replace(&format!("(?P<{name}>"), &format!("(?P<{name}{form}>"));
        }
        pattern
    };
    let forms = [
        number(
            r"\b(?P<y>20[0-9]{2})[-/](?P<m>[0-9]{2})[-/](?P<d>[0-9]{2})[T ]CLOCK ?(?P<z>Z\b|UTC\b|GMT\b|[+-][0-9]{2}:?[0-9]{2})?",
            "1",
        ),
        number(
            r"\b(?P<d>[0-9]{1,2})[-/ ](?P<m>[A-Z][a-z]{2})[-/ ](?P<y>20[0-9]{2})[: ]+CLOCK ?(?P<z>[+-][0-9]{4})?",
            "2",
        ),
        number(r"\b(?P<m>[A-Z][a-z]{2}) +(?P<d>[0-9]{1,2}) CLOCK(?: (?P<y>20[0-9]{2})\b)?", "3"),
        number(r#""ts":(?P<S>[0-9]{10})(?:\.(?P<F>[0-9]{1,9}))?"#, "4"),
    ];
    Regex::new(&format!("(?-u){}", forms.join("|"))).ok()
});
/// A timestamp starts within this many bytes.
const WITHIN: usize = 400;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Clock {
    /// The time in a line.
    pub(super) fn read(&self, line: &[u8]) -> Option<Timestamp> {
        let head = line.get(..WITHIN).unwrap_or(line);
        let found = TimeParts(FORMS.as_ref()?.captures(head)?);
        if let Some(seconds) = found.number("S4") {
            return Timestamp::new(seconds, i32::try_from(found.nanoseconds("F4")).ok()?).ok();
        }
        let form = ["1", "2", "3"].into_iter().find(|form| found.text(&format!("H{form}")).is_some())?;
        let part = |name: &str| found.number(&format!("{name}{form}"));
        let month = format!("m{form}");
        let month = found.number(&month).or_else(|| {
            let name = found.text(&month)?;
            let index = MONTHS.iter().position(|month| *month == name)?;
            i64::try_from(index + 1).ok()
        })?;
        let (day, year) = (part("d")?, part("y"));
        let at = |year: i64| {
            let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
            let nanoseconds = i32::try_from(found.nanoseconds(&format!("F{form}"))).ok()?;
            let [hour, minute, second] = ["H", "M", "S"].map(|name| part(name)?.try_into().ok());
            let time = jiff::civil::Time::new(hour?, minute?, second?, nanoseconds).ok()?;
            Some(DateTime::from_parts(date, time))
        };
        let civil = match year {
            Some(year) => at(year)?,
            // Syslog omits the year: use the most recent year in which the date is in the past, or today or tomorrow in
            // another zone.
            None => {
                let this = i64::from(self.today.year());
                let limit = self.today.tomorrow().unwrap_or(self.today);
                at(this).filter(|time| time.date() <= limit).or_else(|| at(this - 1))?
            }
        };
        let zone = found.text(&format!("z{form}")).map_or_else(|| Some(self.zone.clone()), zone)?;
        zone.to_timestamp(civil).ok()
    }
}

/// Parses the zone of a timestamp.
fn zone(word: &str) -> Option<TimeZone> {
    if matches!(word, "Z" | "UTC" | "GMT") {
        return Some(TimeZone::UTC);
    }
    let sign = if word.starts_with('-') { -1 } else { 1 };
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    let number = |part: &str| part.parse::<i32>().ok();
    let seconds = number(digits.get(..2)?)? * 3600 + number(digits.get(2..4)?)? * 60;
    Offset::from_seconds(sign * seconds).ok().map(TimeZone::fixed)
}

/// The parts of a timestamp.
struct TimeParts<'a>(Captures<'a>);

impl TimeParts<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.0.name(name)?.as_bytes()).ok()
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim_start().parse().ok()
    }

    /// A fraction of a second.
    fn nanoseconds(&self, name: &str) -> i64 {
        let digits = self.text(name).unwrap_or_default();
        format!("{digits:0<9}").parse().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::{Offset, TimeZone};

    use super::Clock;

    #[test]
    fn forms_of_a_time() {
        let clock = Clock { zone: TimeZone::fixed(Offset::constant(1)), today: date(2026, 11, 24) };
        for (line, expected) in [
            ("2026-11-23T12:04:31.1234567Z npm ERR!", "2026-11-23T12:04:31.1234567Z"),
            ("2026-11-23T12:04:31+02:00 x", "2026-11-23T10:04:31Z"),
            ("2026-11-23 12:04:31,123 ERROR", "2026-11-23T11:04:31.123Z"),
            ("2026-11-23 12:04:31.852 UTC [1109] LOG:", "2026-11-23T12:04:31.852Z"),
            ("[2026-11-23 12:04:31 +0000] [1805]", "2026-11-23T12:04:31Z"),
            ("2026-11-23  9:04:31 0 [ERROR] mariadb", "2026-11-23T08:04:31Z"),
            ("2026/11/23 12:04:31 [emerg]", "2026-11-23T11:04:31Z"),
            ("2026/11/23 12:04:31.000123 listen tcp", "2026-11-23T11:04:31.000123Z"),
            ("Nov 23 12:04:31 build1 nginx[1]:", "2026-11-23T11:04:31Z"),
            ("Nov  3 12:04:31 build1 nginx[1]:", "2026-11-03T11:04:31Z"),
            ("Dec 23 12:04:31 build1 nginx[1]:", "2025-12-23T11:04:31Z"),
            ("[Mon Nov 23 12:04:31.5 2024] [core:error]", "2024-11-23T11:04:31.5Z"),
            ("1022:M 23 Nov 2026 12:04:31.360 # x", "2026-11-23T11:04:31.36Z"),
            ("23-Nov-2026 12:04:31.452 binding", "2026-11-23T11:04:31.452Z"),
            ("=ERROR REPORT==== 23-Nov-2026::12:04:31.694431 ===", "2026-11-23T11:04:31.694431Z"),
            ("127.0.0.1 [23/Nov/2026:12:04:31 -0500]", "2026-11-23T17:04:31Z"),
            ("{\"level\":\"error\",\"ts\":1795435471.25,", "2026-11-23T12:04:31.25Z"),
            ("time=\"2026-11-23T12:04:31-05:00\" level=error", "2026-11-23T17:04:31Z"),
            ("web-1  | 2026-11-23T12:04:31Z and 2020-01-01T00:00:00Z", "2026-11-23T12:04:31Z"),
        ] {
            let time = clock.read(line.as_bytes()).map(|time| time.to_string());
            assert_eq!(time.as_deref(), Some(expected), "{line}");
        }
        for line in [
            "12:04:31 PM [vite]",
            "listen tcp :8080",
            "2026-13-45T99:99:99Z",
            "Foo 23 12:04:31",
            "",
            "\u{ff}",
        ] {
            assert_eq!(clock.read(line.as_bytes()), None, "{line}");
        }
    }
}
