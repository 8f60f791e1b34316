//! The holders of a port over time, and its refusals.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::side::{Party, Side};
use crate::order::sort_by_key;
use crate::wire;

/// The most sockets stored per port; the last ones are kept.
const MOST_SPANS: usize = 512;
/// The most holders stored per call.
const MOST_IN_THE_WAY: usize = 16;
/// The most points in time with refusals stored per port; beyond this, neighbouring points are merged.
const MOST_MARKS: usize = 1024;
/// Initial length of such a point, in nanoseconds.
const FINEST: i128 = 1_000_000;
/// How long a connection stays in TIME_WAIT: `TCP_TIMEWAIT_LEN` in include/net/tcp.h (5.10 to 7.3).
const TIME_WAIT: SignedDuration = SignedDuration::from_secs(60);
/// Two times of the same event differ by less than this.
const SAME: SignedDuration = SignedDuration::from_millis(1);

/// The state of a socket on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum State {
    /// The socket was bound, and did not listen.
    Bound,
    /// The socket listened.
    Listen,
    /// The socket was a connection.
    Connection,
    /// The socket was a closed connection in TIME_WAIT.
    TimeWait,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bound => "bound",
            Self::Listen => "listen",
            Self::Connection => "connection",
            Self::TimeWait => "time_wait",
        }
    }

    fn of(holder: &wire::Holder<'_>) -> Self {
        match &*holder.state {
            "listen" => Self::Listen,
            "bound" => Self::Bound,
            "time_wait" => Self::TimeWait,
            _ => Self::Connection,
        }
    }
}

/// A socket on the port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// The program behind the socket.
    pub side: Side,
    /// The process; `None` if there was none.
    pub pid: Option<u32>,
    /// The last state that was seen.
    pub state: State,
    /// When the socket got the port; `None` if that was before tracing began.
    pub from: Option<Timestamp>,
    /// When the socket released the port; `None` if that was not seen.
    pub to: Option<Timestamp>,
    /// When the socket was first and last seen on the port.
    pub seen: (Timestamp, Timestamp),
    /// The socket was in the way of a refused call.
    pub in_the_way: bool,
    key: Key,
    session: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Inode(u64),
    Peer(IpAddr, u16),
    Process(Option<u32>),
}

/// Refusals at one point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mark {
    /// The time of the refusals.
    pub time: Timestamp,
    /// The number of refusals.
    pub count: u64,
}

/// The timeline of a port.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timeline {
    /// The sockets, in the order in which they got the port.
    pub spans: VecDeque<Span>,
    /// Sockets that did not fit; a socket in the way of several calls counts once per call.
    pub spans_left_out: u64,
    /// Refusals.
    marks: BTreeMap<i128, (Timestamp, u64)>,
    width: i128,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { spans: VecDeque::new(), spans_left_out: 0, marks: BTreeMap::new(), width: FINEST }
    }
}

/// An observation of a socket.
struct Sight<'a> {
    key: Key,
    state: State,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    at: Timestamp,
    in_the_way: bool,
    party: &'a dyn Fn() -> Option<Party>,
}

impl Timeline {
    /// Adds a refusal with its holders and its history. Sockets of another session (another trace) are different
    /// sockets even if their numbers are equal.
    pub(super) fn refusal(&mut self, refusal: &wire::Refusal<'_>, session: u32) {
        let time = refusal.time.0;
        self.mark(time);
        let mut in_the_way = refusal.holders.iter().filter(|holder| holder.conflicts);
        for holder in in_the_way.by_ref().take(MOST_IN_THE_WAY) {
            self.see(&sight(holder, time, &|| Some(Party::behind(holder))), session);
        }
        self.spans_left_out = self.spans_left_out.saturating_add(in_the_way.count() as u64);
        for moment in &refusal.history {
            self.moment(moment, session);
        }
    }

    /// Records that the port has become free: all sockets in the way of the call refused at `refused` have been closed.
    pub(super) fn free(&mut self, refused: Timestamp, at: Timestamp, session: u32) {
        let open = self.spans.iter_mut().filter(|span| span.session == session && span.to.is_none());
        for span in open.filter(|span| span.in_the_way && span.seen.0 <= refused && refused <= span.seen.1) {
            span.to = Some(at);
            span.seen.1 = span.seen.1.max(at);
        }
    }

    /// The times of the refusals, in order.
    pub fn marks(&self) -> impl Iterator<Item = Mark> {
        self.marks.values().map(|&(time, count)| Mark { time, count })
    }

    fn mark(&mut self, time: Timestamp) {
        let bin = time.as_nanosecond().div_euclid(self.width);
        let (_, count) = self.marks.entry(bin).or_insert((time, 0));
        *count = count.saturating_add(1);
        while self.marks.len() > MOST_MARKS {
            self.width = self.width.saturating_mul(2);
            for (bin, (time, count)) in std::mem::take(&mut self.marks) {
                let (_, all) = self.marks.entry(bin.div_euclid(2)).or_insert((time, 0));
                *all = all.saturating_add(count);
            }
        }
    }

    fn moment(&mut self, moment: &wire::Moment<'_>, session: u32) {
        let (Some(time), Some(inode)) = (moment.time, moment.inode) else { return };
        let at = time.0;
        let (state, from, to) = match &*moment.what {
            "bound" => (State::Bound, Some(at), None),
            "connected" => (State::Connection, Some(at), None),
            "listening" => (State::Listen, None, None),
            "closed" => (State::Bound, None, Some(at)),
            _ => return,
        };
        let party = || moment.process.as_ref().map(Party::opener);
        let key = Key::Inode(inode);
        self.see(&Sight { key, state, from, to, at, in_the_way: false, party: &party }, session);
    }

    fn see(&mut self, sight: &Sight<'_>, session: u32) {
        let found = self.spans.iter_mut().rev().find(|span| span.session == session && span.is(sight));
        if let Some(span) = found {
            span.learn(sight);
        } else if let Some(party) = (sight.party)() {
            if self.spans.len() >= MOST_SPANS {
                self.spans.pop_front();
                self.spans_left_out = self.spans_left_out.saturating_add(1);
            }
            self.spans.push_back(Span {
                side: party.side,
                pid: party.pid,
                state: sight.state,
                from: sight.from,
                to: sight.to,
                seen: (sight.from.unwrap_or(sight.at).min(sight.at), sight.at),
                in_the_way: sight.in_the_way,
                key: sight.key,
                session,
            });
        }
    }

    /// Sorts the sockets.
    pub(super) fn finish(&mut self) {
        sort_by_key(self.spans.make_contiguous(), Span::begin);
    }
}

fn sight<'a>(holder: &wire::Holder<'_>, at: Timestamp, party: &'a dyn Fn() -> Option<Party>) -> Sight<'a> {
    let state = State::of(holder);
    let key = match (holder.inode.filter(|inode| *inode != 0), &holder.peer) {
        (Some(inode), _) => Key::Inode(inode),
        (None, Some(peer)) => Key::Peer(peer.address, peer.port),
        (None, None) => Key::Process(holder.processes.first().map(|process| process.pid)),
    };
    let left =
        holder.time_wait_left_ms.map(|left| SignedDuration::from_millis(left.try_into().unwrap_or(i64::MAX)));
    let to = left.and_then(|left| at.checked_add(left).ok());
    let from = match state {
        // The period before TIME_WAIT had another state.
        State::TimeWait => to.and_then(|to| to.checked_sub(TIME_WAIT).ok()).filter(|from| *from <= at),
        _ => holder.since.map(|since| since.0),
    };
    Sight { key, state, from, to, at, in_the_way: holder.conflicts, party }
}

impl Span {
    /// The start, as far as it is known.
    #[must_use]
    pub fn begin(&self) -> Timestamp {
        self.from.unwrap_or(self.seen.0)
    }

    /// The end, as far as it is known.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.to.unwrap_or(self.seen.1).max(self.begin())
    }

    fn is(&self, sight: &Sight<'_>) -> bool {
        let is_wait = |state| state == State::TimeWait;
        if self.key != sight.key || is_wait(self.state) != is_wait(sight.state) {
            return false;
        }
        match (self.from, sight.from) {
            // The kernel reports the remaining TIME_WAIT in ticks.
            (Some(_), Some(from)) if is_wait(sight.state) => self.to.is_none_or(|to| from <= to),
            (Some(one), Some(other)) => one.duration_since(other).abs() < SAME,
            _ => self.to.is_none_or(|to| sight.at <= to),
        }
    }

    fn learn(&mut self, sight: &Sight<'_>) {
        self.state = self.state.max(sight.state);
        self.from = self.from.or(sight.from);
        self.to = self.to.or(sight.to);
        self.in_the_way |= sight.in_the_way;
        self.seen =
            (self.seen.0.min(sight.from.unwrap_or(sight.at)).min(sight.at), self.seen.1.max(sight.at));
        // More is known about a running process than about the process that opened the socket.
        if self.side.test.is_none()
            && sight.in_the_way
            && let Some(party) = (sight.party)()
        {
            self.side = party.side;
            self.pid = party.pid.or(self.pid);
        }
    }
}
