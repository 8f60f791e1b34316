//! `/proc/PID/stat` (do_task_stat in fs/proc/array.c).

/// Clock ticks per second in every file of `/proc` (USER_HZ in include/asm-generic/param.h), whatever the kernel's own
/// HZ.
pub(super) const USER_HZ: u64 = 100;

/// Nanoseconds of a tick.
pub(super) const TICK_NS: u64 = 1_000_000_000 / USER_HZ;
/// The fields of one line that portbind needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Parent, as the reader's pid namespace numbers it; 0 above init or outside of the namespace.
    pub(super) ppid: u32,
    /// Process group; 0 if its leader is outside of the reader's pid namespace.
    pub(super) group: u32,
    /// Session; 0 if its leader is outside of the reader's pid namespace.
    pub(super) session: u32,
    /// State (task_state_array in fs/proc/array.c, 6.18).
    state: u8,
    /// Start, in clock ticks since boot.
    pub(super) start_ticks: u64,
}

impl Stat {
    /// The program chooses the name in parentheses, which may hold spaces, newlines and `)`. The text after the name
    /// never holds a `)`, so the last `)` ends the name.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().rposition(|&byte| byte == b')')?;
        let rest = std::str::from_utf8(bytes.get(end + 1..)?).ok()?;
        // Field 3, the state, is the first field after the name.
        let mut fields = rest.split_ascii_whitespace();
        let state = *fields.next()?.as_bytes().first()?;
        let ppid = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        // Field 22 comes 16 after the session, field 6.
        let session = fields.next()?.parse().ok()?;
        let start_ticks = fields.nth(15)?.parse().ok()?;
        Some(Self { ppid, group, session, state, start_ticks })
    }

    /// Suspended by a signal (`T`, TASK_STOPPED).
    pub(super) const fn is_stopped(&self) -> bool {
        self.state == b'T'
    }

    /// Ended: its parent has not read its exit status yet (`Z`, EXIT_ZOMBIE), or has done so (`X`, EXIT_DEAD).
    pub(super) const fn has_ended(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }

    /// Runs, or waits for a processor (`R`, TASK_RUNNING).
    pub(super) const fn is_runnable(&self) -> bool {
        self.state == b'R'
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REST: &str = "S 41 7 8 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 3133440 512 184";

    #[test]
    fn finds_the_end_of_any_name() {
        for comm in ["sh", "", "a b", ") S 1 (", "))", "a\nb", "(x", "\u{1b}[31m"] {
            let line = format!("9 ({comm}) {REST}\n");
            assert_eq!(
                Stat::parse(line.as_bytes()),
                Some(Stat { ppid: 41, group: 7, session: 8, state: b'S', start_ticks: 12345 }),
                "{comm:?}"
            );
        }
        let mut bytes = b"9 (\xff\xfe) ".to_vec();
        bytes.extend(REST.as_bytes());
        assert_eq!(
            Stat::parse(&bytes),
            Some(Stat { ppid: 41, group: 7, session: 8, state: b'S', start_ticks: 12345 })
        );
    }

    #[test]
    fn refuses_all_that_is_cut_or_no_number() {
        let whole = format!("9 (sh) {REST}");
        let cut = &whole[..whole.find(" 12345").unwrap()];
        for text in ["", ")", "9 (sh)", "9 (sh) S", "9 (sh) S x", "9 (sh) S -1", cut] {
            assert_eq!(Stat::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Stat::parse(&bytes);
        }

        #[test]
        fn any_name_will_do(comm in prop::collection::vec(any::<u8>(), 0..16)) {
            let line = [b"9 (", &comm[..], b") ", REST.as_bytes()].concat();
            let stat = Stat { ppid: 41, group: 7, session: 8, state: b'S', start_ticks: 12345 };
            prop_assert_eq!(Stat::parse(&line), Some(stat));
        }
    }
}
