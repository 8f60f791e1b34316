//! Who held a port when, and when it was refused.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::side::{Party, Side};
use crate::wire;

/// Sockets that are kept of a port: the last ones.
const MOST_SPANS: usize = 512;
/// Sockets in the way of one call that are kept.
const MOST_IN_THE_WAY: usize = 16;
/// Points in time with refusals that are kept of a port; of more, neighbours become one.
const MOST_MARKS: usize = 1024;
/// Nanoseconds of one such point at first.
const FINEST: i128 = 1_000_000;
/// How long a connection stays in TIME_WAIT: `TCP_TIMEWAIT_LEN`, include/net/tcp.h.
const TIME_WAIT: SignedDuration = SignedDuration::from_secs(60);
/// Two times of one event differ by less.
const SAME: SignedDuration = SignedDuration::from_millis(1);

/// What a socket did with the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum State {
    /// It was bound, and did not listen.
    Bound,
    /// It listened.
    Listen,
    /// It was a connection.
    Connection,
    /// It was a closed connection in TIME_WAIT.
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
    /// Who was behind it.
    pub side: Side,
    /// The process; `None` where there was none.
    pub pid: Option<u32>,
    /// What it did; the last state that was seen.
    pub state: State,
    /// When it got the port; `None` if that was before tracing began.
    pub from: Option<Timestamp>,
    /// When it let go of it; `None` if that was not seen.
    pub to: Option<Timestamp>,
    /// When it was first and last seen on the port.
    pub seen: (Timestamp, Timestamp),
    /// It stood in the way of a refused call.
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
    /// When.
    pub time: Timestamp,
    /// How many.
    pub count: u64,
}

/// The life of a port.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timeline {
    /// Sockets, in the order in which they got it.
    pub spans: VecDeque<Span>,
    /// Sockets that did not fit; one that was in the way of several calls counts for each.
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

/// Something that is known of a socket.
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
    /// Adds a refusal: itself, its holders, and the history it carries. Sockets of another session, which is
    /// another run of tracing, are others though their numbers be the same.
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

    /// The port has become free: whatever stood in the way of the call refused at `refused` is gone.
    pub(super) fn free(&mut self, refused: Timestamp, at: Timestamp, session: u32) {
        let open = self.spans.iter_mut().filter(|span| span.session == session && span.to.is_none());
        for span in open.filter(|span| span.in_the_way && span.seen.0 <= refused && refused <= span.seen.1) {
            span.to = Some(at);
            span.seen.1 = span.seen.1.max(at);
        }
    }

    /// When the refusals fell, in order.
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

    /// Puts the sockets in order.
    pub(super) fn finish(&mut self) {
        self.spans.make_contiguous().sort_by_key(Span::begin);
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
        // What it was before is another matter.
        State::TimeWait => to.and_then(|to| to.checked_sub(TIME_WAIT).ok()).filter(|from| *from <= at),
        _ => holder.since.map(|since| since.0),
    };
    Sight { key, state, from, to, at, in_the_way: holder.conflicts, party }
}

impl Span {
    /// When it begins, as far as that is known.
    #[must_use]
    pub fn begin(&self) -> Timestamp {
        self.from.unwrap_or(self.seen.0)
    }

    /// When it ends, as far as that is known.
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
            // The kernel tells how long TIME_WAIT lasts by the tick.
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
        // Of a process that is alive more is known than of who opened the socket.
        if self.side.test.is_none()
            && sight.in_the_way
            && let Some(party) = (sight.party)()
        {
            self.side = party.side;
            self.pid = party.pid.or(self.pid);
        }
    }
}
