//! What happened after a refusal: when the port became free, which shows whether waiting helps.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use crate::event::{
    Holder, Ownership, PortKey, PortTable, Process, Refusal, Release, Socket, SocketId, State,
};

/// Refusals whose ports are watched at the same time; when there are more, the oldest are dropped.
const WATCHED: usize = 256;

/// Time from a refusal to the first poll of its port, where polling is needed.
const FIRST_LOOK: SignedDuration = SignedDuration::from_millis(20);
/// Longest pause between two polls of a port.
const LAST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// The pause between two polls is one `PART`th of the time since the refusal, which bounds the error of the reported
/// time.
const PART: i32 = 8;

/// Refused ports that are not free yet.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Oldest first.
    watched: VecDeque<Watched>,
}

#[derive(Debug)]
struct Watched {
    key: PortKey,
    refused: Timestamp,
    process: Rc<Process>,
    socket: Socket,
    in_the_way: Vec<InTheWay>,
    /// Processes that may live in the network namespace.
    pids: Vec<u32>,
    next_look: Timestamp,
}

/// One socket in the way, and how its end becomes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InTheWay {
    /// The kernel half reports its end.
    Told(SocketId),
    /// A TIME_WAIT socket, which ends at this time.
    Until(Timestamp),
    /// No event reports its end: portbind polls the port.
    Untold {
        /// The socket as a poll shows it.
        looks: SocketSnapshot,
        /// Polls are known to show this socket.
        shows: bool,
    },
}

/// A socket as a poll shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketSnapshot {
    /// Local address.
    pub address: IpAddr,
    /// The other end of a connection.
    pub peer: Option<(IpAddr, u16)>,
    /// Inode number in sockfs; 0 where it has none.
    pub inode: u64,
}

/// A port to poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollTarget {
    /// The port.
    pub key: PortKey,
    /// Processes that may live in its network namespace.
    pub pids: Vec<u32>,
}

impl Aftermath {
    /// Watches the port of a refusal. With `reports_ends`, the kernel half reports the end of every bound socket;
    /// without it, only the end of listeners. It never reports the end of connections.
    pub fn watch(&mut self, key: PortKey, refusal: &Refusal, reports_ends: bool) {
        let conflicting = refusal.holders.iter().filter(|holder| holder.conflicts);
        let in_the_way: Option<Vec<InTheWay>> =
            conflicting.clone().map(|holder| InTheWay::of(holder, refusal.time, reports_ends)).collect();
        let Some(in_the_way) = in_the_way.filter(|sockets| !sockets.is_empty()) else { return };
        let owners = conflicting.flat_map(|holder| &holder.processes).map(|owner| owner.process.pid);
        let watched = Watched {
            key,
            refused: refusal.time,
            process: Rc::clone(&refusal.process),
            socket: refusal.socket.clone(),
            in_the_way,
            pids: std::iter::once(refusal.process.pid).chain(owners).collect(),
            next_look: refusal.time + FIRST_LOOK,
        };
        if self.watched.len() >= WATCHED {
            self.watched.pop_front();
        }
        self.watched.push_back(watched);
    }

    /// Notes that a socket released a port. Returns the refusals that lost their last socket in the way.
    pub fn closed(&mut self, key: PortKey, id: SocketId, time: Timestamp) -> Vec<Release> {
        self.clear(time, |watched, socket| {
            watched == key && matches!(socket, InTheWay::Told(open) if open.is(id))
        })
    }

    /// Returns the refusals whose last socket in the way was a TIME_WAIT socket that has ended by `now`.
    pub fn due(&mut self, now: Timestamp) -> Vec<Release> {
        self.clear(now, |_, socket| matches!(socket, InTheWay::Until(end) if *end <= now))
    }

    /// The ports to poll by `now`. The caller passes each result to [`Self::polled`].
    pub fn poll_targets(&mut self, now: Timestamp) -> Vec<PollTarget> {
        let mut looks: Vec<PollTarget> = Vec::new();
        for watched in self.watched.iter_mut().filter(|watched| watched.next_look <= now) {
            if !watched.is_silent() {
                continue;
            }
            let pause = now.duration_since(watched.refused) / PART;
            watched.next_look = now + pause.clamp(FIRST_LOOK, LAST_PAUSE);
            match looks.iter_mut().find(|look| look.key == watched.key) {
                Some(look) => look.pids.extend(&watched.pids),
                None => looks.push(PollTarget { key: watched.key, pids: watched.pids.clone() }),
            }
        }
        looks
    }

    /// Takes the sockets found on a port (`None` if the port could not be polled). Returns the refusals whose last
    /// socket in the way is gone.
    pub fn polled(&mut self, key: PortKey, found: Option<&[SocketSnapshot]>, now: Timestamp) -> Vec<Release> {
        let Some(found) = found else {
            self.watched.retain(|watched| watched.key != key || !watched.is_silent());
            return Vec::new();
        };
        // The end of a socket that no poll has shown cannot be detected.
        self.watched.retain_mut(|watched| watched.key != key || watched.still_shows(found));
        self.clear(now, |watched, socket| {
            watched == key && matches!(socket, InTheWay::Untold { looks, .. } if !looks.is_among(found))
        })
    }

    /// Whether a socket in the way is waiting for the kernel half to report its end.
    #[must_use]
    pub fn awaits_ends(&self) -> bool {
        let mut sockets = self.watched.iter().flat_map(|watched| &watched.in_the_way);
        sockets.any(|socket| matches!(socket, InTheWay::Told(_)))
    }

    /// When the next TIME_WAIT socket in the way ends, or the next poll is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let ends = self.watched.iter().flat_map(|watched| &watched.in_the_way);
        let ends =
            ends.filter_map(|socket| if let InTheWay::Until(end) = socket { Some(*end) } else { None });
        let looks =
            self.watched.iter().filter(|watched| watched.is_silent()).map(|watched| watched.next_look);
        ends.chain(looks).min()
    }

    /// Removes the sockets that are gone. Returns the refusals that have none left.
    fn clear(&mut self, time: Timestamp, is_gone: impl Fn(PortKey, &InTheWay) -> bool) -> Vec<Release> {
        for watched in &mut self.watched {
            let key = watched.key;
            watched.in_the_way.retain(|socket| !is_gone(key, socket));
        }
        if !self.watched.iter().any(|watched| watched.in_the_way.is_empty()) {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.watched).into_iter();
        let (free, left): (Vec<_>, Vec<_>) = all.partition(|watched| watched.in_the_way.is_empty());
        self.watched = left.into();
        free.into_iter().map(|watched| watched.free(time)).collect()
    }
}

impl InTheWay {
    /// How the end of a holder becomes known; `None` if it cannot be known.
    fn of(holder: &Holder, refused: Timestamp, reports_ends: bool) -> Option<Self> {
        let looks = SocketSnapshot { address: holder.address, peer: holder.peer, inode: holder.id.inode };
        Some(match (holder.ownership, holder.time_wait_left_ms) {
            (Ownership::TimeWait, Some(left)) => {
                let left = SignedDuration::from_millis(i64::try_from(left).ok()?);
                Self::Until(refused.checked_add(left).ok()?)
            }
            (Ownership::Kernel, _) => return None,
            _ if holder.peer.is_some() => Self::Untold { looks, shows: true },
            _ if reports_ends || holder.state == State::Listen => Self::Told(holder.id),
            // inet_diag lists every UDP socket, and bound-only TCP sockets since 6.8 (inet_diag_dump_icsk,
            // net/ipv4/inet_diag.c).
            _ => Self::Untold { looks, shows: PortTable::of(holder.protocol) == PortTable::Udp },
        })
    }
}

impl SocketSnapshot {
    /// Whether `found` has this socket. A connection that turns into TIME_WAIT still holds its port.
    fn is_among(&self, found: &[Self]) -> bool {
        found.iter().any(|other| match self.peer {
            Some(_) => (self.address, self.peer) == (other.address, other.peer),
            None => self.inode != 0 && self.inode == other.inode,
        })
    }
}

impl Watched {
    fn is_silent(&self) -> bool {
        self.in_the_way.iter().any(|socket| matches!(socket, InTheWay::Untold { .. }))
    }

    /// Records which sockets `found` shows. Returns whether each polled socket is or has been visible.
    fn still_shows(&mut self, found: &[SocketSnapshot]) -> bool {
        self.in_the_way.iter_mut().all(|socket| match socket {
            InTheWay::Untold { looks, shows } => {
                *shows = *shows || looks.is_among(found);
                *shows
            }
            _ => true,
        })
    }

    fn free(self, time: Timestamp) -> Release {
        let Self { refused, process, socket, .. } = self;
        Release { time, refused, process, socket }
    }
}

#[cfg(test)]
#[path = "aftermath_tests.rs"]
mod tests;
