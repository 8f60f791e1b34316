//! The kernel's clocks.

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

const NANOS: i128 = 1_000_000_000;

/// Turns times since boot into wall clock times.
///
/// The distance between the two clocks is taken once: a wall clock that is set later does not move
/// what was already told. Times since boot are those of bpf_ktime_get_boot_ns (ktime_get_boot_fast_ns,
/// kernel/time/timekeeping.c); in a time namespace with an offset of its own they would be off by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootClock {
    /// Realtime minus boottime.
    offset: i128,
}

impl BootClock {
    /// Compares the clocks.
    #[must_use]
    pub fn new() -> Self {
        // The narrowest of a few looks, so that being preempted between two clocks does no harm.
        let offset = (0..5).map(|_| look()).min_by_key(|&(width, _)| width).map_or(0, |(_, offset)| offset);
        Self { offset }
    }

    /// The clock of a machine that booted at `boot`.
    #[must_use]
    pub fn booted_at(boot: Timestamp) -> Self {
        Self { offset: boot.as_nanosecond() }
    }

    /// The wall clock time of an instant in nanoseconds since boot.
    #[must_use]
    pub fn at(&self, boot_ns: u64) -> Timestamp {
        // Beyond the last representable time only for a wall clock that is thousands of years off.
        Timestamp::from_nanosecond(self.offset + i128::from(boot_ns)).unwrap_or(Timestamp::MAX)
    }
}

/// Nanoseconds since boot, suspended time included: the clock that records are stamped with.
#[must_use]
pub fn boot_time() -> u64 {
    u64::try_from(nanos(ClockId::Boottime)).unwrap_or(0)
}

impl Default for BootClock {
    fn default() -> Self {
        Self::new()
    }
}

/// How long a comparison took, and what it says.
fn look() -> (i128, i128) {
    let before = nanos(ClockId::Boottime);
    let real = nanos(ClockId::Realtime);
    let after = nanos(ClockId::Boottime);
    (after - before, real - i128::midpoint(before, after))
}

fn nanos(clock: ClockId) -> i128 {
    let time = clock_gettime(clock);
    i128::from(time.tv_sec) * NANOS + i128::from(time.tv_nsec)
}

/// The CONFIG_HZ of a kernel whose 64-bit jiffies and CLOCK_MONOTONIC were read together.
///
/// The kernel starts counting at `(u32)(-300 * HZ)`, five minutes before 32 bits wrap (INITIAL_JIFFIES
/// in include/linux/jiffies.h), so only the right HZ makes the count agree with the clock. `None` when
/// none does, or when more than one may: around an uptime of 300 s every HZ gives the same count.
#[must_use]
pub fn hz_from(jiffies: u64, monotonic_ns: u64) -> Option<u32> {
    // The tick starts a little after the clock; 0.24 s were measured.
    const CLOSE: i128 = 3 * NANOS;
    const APART: i128 = NANOS;
    let error = |hz: u32| {
        let start = (1 << 32) - 300 * i128::from(hz);
        let elapsed = (i128::from(jiffies) - start) * NANOS / i128::from(hz);
        (elapsed - i128::from(monotonic_ns)).abs()
    };
    let mut errors = [100, 250, 300, 1000].map(|hz| (error(hz), hz));
    errors.sort_unstable();
    let [(best, hz), (second, _), ..] = errors;
    (best < CLOSE && second - best >= APART).then_some(hz)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tells_the_time() {
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
        let told = BootClock::new().at(boot_ns);
        assert!(told.duration_until(Timestamp::now()).as_secs().abs() < 2, "{told}");
    }

    #[test]
    fn tells_hz() {
        const S: u64 = 1_000_000_000;
        let cases = [
            // A 6.18 kernel with CONFIG_HZ=250, from its timer_list.
            (4_296_219_418, 5_308_726_319_536, Some(250)),
            (4_294_937_296, 0, Some(100)),
            (4_294_892_296, 0, Some(250)),
            (4_294_877_296, 0, Some(300)),
            (4_294_667_296, 0, Some(1000)),
            // Five minutes after boot every kernel counts 2^32.
            (1 << 32, 300 * S, None),
            ((1 << 32) + 250 * 60, 360 * S, Some(250)),
            ((1 << 32) + 128 * 7200, 7500 * S, None),
            (0, 0, None),
            (u64::MAX, u64::MAX, None),
        ];
        for (jiffies, monotonic, hz) in cases {
            assert_eq!(hz_from(jiffies, monotonic), hz, "{jiffies} {monotonic}");
        }
    }

    proptest! {
        #[test]
        fn never_a_wrong_hz(
            hz in prop::sample::select(vec![100_u32, 250, 300, 1000]),
            ms in prop_oneof![0_u64..4_000_000_000_000, 0_u64..700_000],
            late_ms in 0_u64..400,
        ) {
            let ticks = ms.saturating_sub(late_ms) * u64::from(hz) / 1000;
            let told = hz_from((1 << 32) - 300 * u64::from(hz) + ticks, ms * 1_000_000);
            prop_assert!(told == Some(hz) || told.is_none() && ms.abs_diff(300_000) < 10_000, "{told:?}");
        }

        #[test]
        fn takes_any_numbers(jiffies: u64, monotonic: u64) {
            let _ = hz_from(jiffies, monotonic);
        }
    }
}
