//! What came after a refusal: when the port became free, so that a person can see whether waiting helps.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::event::{Ownership, Process, Refusal, Release, Socket};
use super::history::{PortKey, SocketId};

/// Refusals whose port is watched at once; the oldest are given up first.
const WATCHED: usize = 256;

/// The refusals whose port is not free yet.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Oldest first.
    watched: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    key: PortKey,
    refused: Timestamp,
    process: Rc<Process>,
    socket: Socket,
    in_the_way: Vec<InTheWay>,
}

/// One socket in the way, and how its end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InTheWay {
    /// It lets go of the port.
    Open(SocketId),
    /// A TIME_WAIT ends by the clock.
    Until(Timestamp),
}

impl Aftermath {
    /// Watches the port of a refusal. A connection's end is not told by the kernel half, so a port that one
    /// holds is not watched.
    pub fn watch(&mut self, key: PortKey, refusal: &Refusal) {
        let conflicting = refusal.holders.iter().filter(|holder| holder.conflicts);
        let in_the_way: Option<Vec<InTheWay>> = conflicting
            .map(|holder| match (holder.ownership, holder.time_wait_left_ms) {
                (Ownership::TimeWait, Some(left)) => {
                    let left = SignedDuration::from_millis(i64::try_from(left).ok()?);
                    Some(InTheWay::Until(refusal.time.checked_add(left).ok()?))
                }
                (Ownership::Process, _) if holder.peer.is_none() => Some(InTheWay::Open(holder.id)),
                _ => None,
            })
            .collect();
        let Some(in_the_way) = in_the_way.filter(|sockets| !sockets.is_empty()) else { return };
        let watched = Watched {
            key,
            refused: refusal.time,
            process: Rc::clone(&refusal.process),
            socket: refusal.socket.clone(),
            in_the_way,
        };
        if self.watched.len() >= WATCHED {
            self.watched.remove(0);
        }
        self.watched.push(watched);
    }

    /// A socket let go of a port; the refusals for which that was the last one in the way.
    pub fn closed(&mut self, key: PortKey, id: SocketId, time: Timestamp) -> Vec<Release> {
        self.clear(time, |watched, socket| {
            watched == key && matches!(socket, InTheWay::Open(open) if open.is(id))
        })
    }

    /// The refusals for which the last TIME_WAIT in the way has ended by `now`.
    pub fn due(&mut self, now: Timestamp) -> Vec<Release> {
        self.clear(now, |_, socket| matches!(socket, InTheWay::Until(end) if *end <= now))
    }

    /// When the next TIME_WAIT in the way ends.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let sockets = self.watched.iter().flat_map(|watched| &watched.in_the_way);
        sockets.filter_map(|socket| if let InTheWay::Until(end) = socket { Some(*end) } else { None }).min()
    }

    /// Takes away the sockets that are gone; the refusals that have none left.
    fn clear(&mut self, time: Timestamp, is_gone: impl Fn(PortKey, &InTheWay) -> bool) -> Vec<Release> {
        for watched in &mut self.watched {
            let key = watched.key;
            watched.in_the_way.retain(|socket| !is_gone(key, socket));
        }
        let free = self.watched.extract_if(.., |watched| watched.in_the_way.is_empty());
        free.map(|watched| watched.free(time)).collect()
    }
}

impl Watched {
    fn free(self, time: Timestamp) -> Release {
        let Self { refused, process, socket, .. } = self;
        Release { time, refused, process, socket }
    }
}

#[cfg(test)]
#[path = "aftermath_tests.rs"]
mod tests;
