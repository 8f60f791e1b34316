//! The kernel's clocks.

use jiff::Timestamp;
use rustix::time::{ClockId, clock_getres, clock_gettime};

const NANOS: i128 = 1_000_000_000;

/// Converts times since boot into wall clock times.
///
/// The distance between the two clocks is read once: setting the wall clock later does not change the times printed
/// before. Times since boot come from bpf_ktime_get_boot_ns (ktime_get_boot_fast_ns, kernel/time/timekeeping.c); in
/// a time namespace with an offset, the results are wrong by that offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootClock {
    /// Realtime minus boottime.
    offset: i128,
}

impl BootClock {
    /// Compares the clocks.
    #[must_use]
    pub fn new() -> Self {
        // Take the narrowest of several readings, so that a preemption between the two clocks does no harm.
        let offset =
            (0..5).map(|_| read_clocks()).min_by_key(|&(width, _)| width).map_or(0, |(_, offset)| offset);
        Self { offset }
    }

    /// The clock of a machine that booted at `boot`.
    #[must_use]
    pub fn booted_at(boot: Timestamp) -> Self {
        Self { offset: boot.as_nanosecond() }
    }

    /// The wall clock time of an instant given in nanoseconds since boot.
    #[must_use]
    pub fn at(&self, boot_ns: u64) -> Timestamp {
        // The sum exceeds the last representable time only if the wall clock is thousands of years wrong.
        Timestamp::from_nanosecond(self.offset + i128::from(boot_ns)).unwrap_or(Timestamp::MAX)
    }
}

/// Nanoseconds since boot, including suspended time: the clock of the records' timestamps.
#[must_use]
pub fn boot_time() -> u64 {
    u64::try_from(nanos(ClockId::Boottime)).unwrap_or(0)
}

impl Default for BootClock {
    fn default() -> Self {
        Self::new()
    }
}

/// The duration of one comparison of the clocks, and the difference found.
fn read_clocks() -> (i128, i128) {
    let before = nanos(ClockId::Boottime);
    let real = nanos(ClockId::Realtime);
    let after = nanos(ClockId::Boottime);
    (after - before, real - i128::midpoint(before, after))
}

fn nanos(clock: ClockId) -> i128 {
    let time = clock_gettime(clock);
    i128::from(time.tv_sec) * NANOS + i128::from(time.tv_nsec)
}

/// Nanoseconds of one tick of the kernel's jiffies.
///
/// The coarse clocks advance once per tick, and clock_getres(2) returns the length of the tick for them
/// (`KTIME_LOW_RES`, `posix_get_coarse_res` in kernel/time/posix-timers.c). No other interface is certain to report
/// CONFIG_HZ.
#[must_use]
pub fn tick_ns() -> u64 {
    let resolution = clock_getres(ClockId::MonotonicCoarse);
    u64::try_from(resolution.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_time() {
        let boot: Timestamp = "2024-02-29T12:00:00Z".parse().unwrap();
        let clock = BootClock::booted_at(boot);
        let cases = [
            (0, "2024-02-29T12:00:00Z"),
            (1, "2024-02-29T12:00:00.000000001Z"),
            (43_200_000_000_000, "2024-03-01T00:00:00Z"),
        ];
        for (ns, time) in cases {
            assert_eq!(clock.at(ns), time.parse().unwrap(), "{ns}");
        }
        assert!(clock.at(u64::MAX) > boot);
        assert_eq!(BootClock::booted_at(Timestamp::MAX).at(u64::MAX), Timestamp::MAX);
    }

    #[test]
    fn agrees_with_the_wall_clock() {
        let boot_ns = u64::try_from(nanos(ClockId::Boottime)).unwrap();
        let shown = BootClock::new().at(boot_ns);
        assert!(shown.duration_until(Timestamp::now()).as_secs().abs() < 2, "{shown}");
    }

    #[test]
    fn a_tick_is_of_a_known_length() {
        // CONFIG_HZ is one of these on every architecture (kernel/Kconfig.hz).
        assert!([1_000_000, 3_333_333, 4_000_000, 10_000_000].contains(&tick_ns()), "{}", tick_ns());
    }
}
