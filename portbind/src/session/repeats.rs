//! Reports of refusals that were only counted, because an equal refusal had just been shown or there was no room.

use std::hash::Hash;
use std::rc::Rc;

use jiff::Timestamp;
use portbind_abi::{Count, Quota, RefusalKey, Sample};

use super::bounded::{Bounded, Usage};
use super::overflow::{Common, Counted};
use crate::event::{Process, Refusal, Repeat, Socket};
use crate::host::clock::{BootClock, tick_ns};
use crate::kernel::coalesce::More;
use crate::kernel::{evidence, name};

/// Limit for the bytes of the last shown refusals, by kind; a second limit of this size applies by process.
const REMEMBERED: usize = 256 * 1024;

/// The key of equal refusals, as bytes.
type Key = [u8; size_of::<RefusalKey>()];

/// The last shown refusal of each kind and of each process.
#[derive(Debug)]
pub(super) struct Repeats {
    of_kind: Bounded<Key, Repeat>,
    of_process: Bounded<u32, Repeat>,
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self { of_kind: Bounded::new(REMEMBERED), of_process: Bounded::new(REMEMBERED) }
    }

    /// Records that a refusal was shown.
    pub(super) fn shown(&mut self, kind: RefusalKey, refusal: &Refusal) {
        let Process { pid, tid, ref comm, .. } = *refusal.process;
        let repeat = Repeat {
            time: refusal.time,
            first: refusal.time,
            last: refusal.time,
            refused: Some(refusal.time),
            count: 0,
            looked_at: true,
            // Nothing else of the process is printed, and a full description is large.
            process: Rc::new(Process { pid, tid, comm: comm.clone(), ..Process::default() }),
            socket: refusal.socket.clone(),
            cause: Some(refusal.cause.code),
        };
        let bytes = size_of::<Repeat>() + repeat.process.bytes() + repeat.socket.heap_bytes();
        self.of_process.put(pid, Repeat { looked_at: false, ..repeat.clone() }, bytes);
        self.of_kind.put(key(&kind), repeat, bytes);
    }

    /// Memory use, by name.
    pub(super) const fn usage(&self) -> [(&'static str, Usage); 2] {
        [("shown by kind", self.of_kind.usage()), ("shown by process", self.of_process.usage())]
    }

    /// A report of the refusals counted by `now` because the queue had no room.
    pub(super) fn without_room(&self, common: &Common, counted: &Counted, now: Timestamp) -> Repeat {
        let Counted { count, first, last, socket, comm, name } = counted;
        let comm = evidence::comm(comm);
        let (pid, known) = match common {
            Common::Kind(kind) => {
                (u32::try_from(kind.pid).unwrap_or_default(), self.of_kind.peek(&key(kind)))
            }
            Common::Process(pid) => (*pid, self.of_process.peek(pid)),
        };
        let is_kind = matches!(common, Common::Kind(_));
        let known = known.filter(|known| known.process.comm == comm).cloned().unwrap_or_else(|| {
            let process = Process { pid, tid: pid, comm, ..Process::default() };
            let socket = match name {
                Some(sockaddr) => name::socket(socket, sockaddr),
                None => evidence::socket(socket),
            };
            // For portless sockets, the name is not part of the kind.
            Repeat { looked_at: is_kind && name.is_none(), ..counted_only(process, socket) }
        });
        Repeat { time: now, first: *first, last: *last, count: *count, ..known }
    }

    /// A report of the equal refusals counted by `now`.
    pub(super) fn of_count(
        &mut self,
        more: &More<RefusalKey, Count>,
        now: Timestamp,
        clock: &BootClock,
    ) -> Repeat {
        let More { key: kind, value, count, before } = more;
        let pid = u32::try_from(kind.pid).unwrap_or_default();
        let known = known(&mut self.of_kind, &key(kind), pid, &value.sample);
        let first = before.map_or(0, |before| before.last).max(value.first);
        at(Repeat { count: *count, looked_at: true, ..known }, now, clock.at(first), clock.at(value.last))
    }

    /// A report of the refusals counted only by their process.
    pub(super) fn of_quota(&mut self, more: &More<u32, Quota>, now: Timestamp, clock: &BootClock) -> Repeat {
        let More { key: pid, value, count, before } = more;
        let known = known(&mut self.of_process, pid, *pid, &value.sample);
        let time = |ticks: u64| clock.at(boot_ns(value, ticks));
        let first = before.map_or(0, |before| before.last).max(value.first);
        at(Repeat { count: *count, looked_at: false, ..known }, now, time(first), time(value.last))
    }
}

/// Converts a time in kernel ticks to nanoseconds since boot; it may precede the window whose start is known in both
/// clocks.
fn boot_ns(share: &Quota, ticks: u64) -> u64 {
    let before = share.since.saturating_sub(ticks).saturating_mul(tick_ns());
    let after = ticks.saturating_sub(share.since).saturating_mul(tick_ns());
    share.time.saturating_sub(before).saturating_add(after)
}

/// The last shown refusal of a kind or process; if there is none, the request of the first counted one.
fn known<K: Hash + Eq>(shown: &mut Bounded<K, Repeat>, key: &K, pid: u32, sample: &Sample) -> Repeat {
    let (comm, socket) = evidence::sample(sample);
    // The pid may have been reused.
    if let Some(known) = shown.get(key).filter(|known| known.process.comm == comm || sample.comm == [0; 2]) {
        return known.clone();
    }
    counted_only(Process { pid, tid: pid, comm, ..Process::default() }, socket)
}

/// A report without a shown refusal of the same kind.
fn counted_only(process: Process, socket: Socket) -> Repeat {
    let time = Timestamp::UNIX_EPOCH;
    Repeat {
        time,
        first: time,
        last: time,
        refused: None,
        count: 0,
        looked_at: true,
        process: Rc::new(process),
        socket,
        cause: None,
    }
}

/// Sets the times of a report made at `now`: the first and the last refusal.
fn at(repeat: Repeat, now: Timestamp, first: Timestamp, last: Timestamp) -> Repeat {
    let last = last.min(now);
    Repeat { time: now, first: first.min(last), last, ..repeat }
}

fn key(kind: &RefusalKey) -> Key {
    zerocopy::transmute!(*kind)
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros as _;

    use super::*;
    use crate::event::samples;

    const COUNTS: RefusalKey = RefusalKey { address: [0; 4], pid: 48_213, netns: 2, port: 8080, protocol: 6 };

    fn clock() -> BootClock {
        BootClock::booted_at(Timestamp::UNIX_EPOCH)
    }

    fn seconds(count: i64) -> Timestamp {
        Timestamp::from_second(count).unwrap()
    }

    #[test]
    fn says_when_and_of_which_refusals() {
        let mut repeats = Repeats::new();
        let refusal = samples::listener();
        repeats.shown(COUNTS, &refusal);
        let often = Count { first: 1_000_000_000, last: 3_000_000_000, ..Count::new_zeroed() };
        let more = More { key: COUNTS, value: often, count: 7, before: None };
        let reported = repeats.of_count(&more, seconds(5), &clock());
        assert_eq!(
            (reported.count, reported.first, reported.last, reported.time),
            (7, seconds(1), seconds(3), seconds(5))
        );
        assert_eq!((reported.refused, reported.cause), (Some(refusal.time), Some(refusal.cause.code)));
        assert_eq!(
            (reported.looked_at, reported.socket, reported.process.pid),
            (true, refusal.socket, 48_213)
        );
        // The refusals of the previous report are not included.
        let before = Some(Count { last: 2_000_000_000, ..often });
        let reported = repeats.of_count(&More { before, ..more }, seconds(5), &clock());
        assert_eq!((reported.first, reported.last), (seconds(2), seconds(3)));
        // The last refusal may have been counted after `now` was taken.
        let reported = repeats.of_count(&more, seconds(2), &clock());
        assert_eq!((reported.first, reported.last), (seconds(1), seconds(2)));
    }

    #[test]
    fn those_of_which_none_was_shown_are_not_left_out() {
        let mut sample = Sample { port: 8081, protocol: 6, family: 2, uid: 7, ..Sample::new_zeroed() };
        sample.comm[0] = u64::from_le_bytes(*b"stormer\0");
        let often = Count { sample, ..Count::new_zeroed() };
        let more = More { key: RefusalKey { port: 8081, ..COUNTS }, value: often, count: 3, before: None };
        let reported = Repeats::new().of_count(&more, seconds(5), &clock());
        assert_eq!((reported.count, reported.refused, reported.cause), (3, None, None));
        assert_eq!((reported.socket.port, reported.socket.uid), (8081, 7));
        assert_eq!((reported.process.pid, reported.process.comm.as_str()), (48_213, "stormer"));
    }

    #[test]
    fn those_that_were_not_examined_are_of_a_process() {
        let (mut repeats, refusal) = (Repeats::new(), samples::listener());
        repeats.shown(COUNTS, &refusal);
        let ticks = |seconds: u64| 100 + seconds * 1_000_000_000 / tick_ns();
        let share = Quota {
            since: 100,
            time: 10_000_000_000,
            first: ticks(1),
            last: ticks(2),
            ..Quota::new_zeroed()
        };
        let reported = repeats.of_quota(
            &More { key: 48_213, value: share, count: 9, before: None },
            seconds(20),
            &clock(),
        );
        assert_eq!(
            (reported.count, reported.looked_at, reported.first, reported.last),
            (9, false, seconds(11), seconds(12))
        );
        assert_eq!(reported.socket, refusal.socket);
    }
}
