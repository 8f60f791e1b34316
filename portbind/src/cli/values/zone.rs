//! Time zones.

use std::str::FromStr;

use jiff::tz::TimeZone;

use super::error::ValueError;

/// A time zone, by its name in the machine's time zone database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone.
    #[must_use]
    pub fn get(&self) -> TimeZone {
        self.0.clone()
    }
}

impl FromStr for Zone {
    type Err = ValueError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if word.eq_ignore_ascii_case("utc") {
            return Ok(Self(TimeZone::UTC));
        }
        TimeZone::get(word).map(Self).map_err(|_| ValueError::Zone(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{TimeZone, ValueError, Zone};

    #[test]
    fn zones_by_name() {
        assert_eq!("UTC".parse(), Ok(Zone(TimeZone::UTC)));
        assert_eq!("Nowhere/Town".parse::<Zone>(), Err(ValueError::Zone("Nowhere/Town".to_owned())));
    }
}
