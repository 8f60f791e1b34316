//! The flight recorder: what happened on each port and which process did it, recorded while the process exists.
//!
//! Bounded: the ports without events for the longest time are forgotten first, and forgotten moments are counted.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::rc::Rc;

use lru::LruCache;

use crate::event::{Moment, MomentKind, PortKey, Process, SocketId};

/// Moments kept for one port; older ones are dropped.
const MOMENTS_PER_PORT: usize = 16;
/// Connections started by connect(2) and not yet established.
const MAX_CONNECTING: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// Bytes allowed for each moment, including its share of the processes.
const BYTES_A_MOMENT: usize = 192;
/// Minimum number of bytes allowed, even for a low limit of moments.
const LEAST_BYTES: usize = 64 << 10;
/// Bytes of a port besides its moments.
const PORT: usize = 128;

/// Recent events on all ports.
#[derive(Debug)]
pub struct History {
    ports: LruCache<PortKey, Life>,
    connecting: LruCache<u64, Rc<Process>>,
    moments: usize,
    bytes: usize,
    limit: usize,
    evicted: u64,
}

/// Recent events on one port, oldest first.
#[derive(Debug, Default)]
struct Life {
    moments: Vec<Moment>,
    bytes: usize,
}

impl Life {
    /// Recounts the bytes. Consecutive moments of the same process count the process once.
    fn measure(&mut self) {
        let process = |moment: &Moment| moment.process.as_ref().map(Rc::as_ptr);
        let mut last = None;
        let mut bytes = PORT + self.moments.capacity() * size_of::<Moment>();
        for moment in &self.moments {
            if process(moment) != last {
                bytes += moment.process.as_ref().map_or(0, |process| process.bytes());
                last = process(moment);
            }
        }
        self.bytes = bytes;
    }
}

impl History {
    /// Keeps at most `limit` moments, and as many bytes as `limit` average moments take.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            ports: LruCache::unbounded(),
            connecting: LruCache::new(MAX_CONNECTING),
            moments: 0,
            bytes: 0,
            limit,
            evicted: 0,
        }
    }

    /// Records a moment.
    pub fn push(&mut self, key: PortKey, moment: Moment) {
        let life = self.ports.get_or_insert_mut(key, Life::default);
        let before = (life.moments.len(), life.bytes);
        if life.moments.len() >= MOMENTS_PER_PORT {
            life.moments.remove(0);
        }
        life.moments.reserve_exact(1);
        life.moments.push(moment);
        life.measure();
        self.moments = self.moments + life.moments.len() - before.0;
        self.bytes = self.bytes + life.bytes - before.1;
        while self.moments > self.limit || self.bytes > self.most_bytes() {
            let Some((_, forgotten)) = self.ports.pop_lru() else { break };
            self.moments -= forgotten.moments.len();
            self.bytes -= forgotten.bytes;
            self.evicted += u64::try_from(forgotten.moments.len()).unwrap_or(u64::MAX);
        }
    }

    /// Records the state from before tracing began, before all later moments. It never evicts newer moments, and is
    /// skipped for a socket that already has one.
    pub fn seed(&mut self, key: PortKey, moment: Moment) {
        let known = self.of(key);
        let is_known = known.iter().any(|known| known.socket.is(moment.socket));
        let is_full = self.moments >= self.limit || self.bytes >= self.most_bytes();
        if is_known || is_full || known.len() >= MOMENTS_PER_PORT {
            return;
        }
        let earlier = known.iter().take_while(|known| known.time.is_none()).count();
        let life = self.ports.get_or_insert_mut(key, Life::default);
        let before = life.bytes;
        life.moments.insert(earlier, moment);
        life.measure();
        self.moments += 1;
        self.bytes = self.bytes + life.bytes - before;
    }

    /// A process begins to connect; its port becomes known at [`Self::connected`].
    pub fn connecting(&mut self, object: u64, process: Rc<Process>) {
        self.connecting.put(object, process);
    }

    /// Returns the process that began to connect this socket, and forgets it.
    pub fn connected(&mut self, object: u64) -> Option<Rc<Process>> {
        self.connecting.pop(&object)
    }

    /// The recorded moments of a port, oldest first.
    #[must_use]
    pub fn of(&self, key: PortKey) -> &[Moment] {
        self.ports.peek(&key).map_or(&[], |life| &life.moments)
    }

    /// The bind or connect that gave a socket its port, if it was traced and not undone. Moments from before tracing do
    /// not count: a process that already had the socket open may have received it from another process.
    #[must_use]
    pub fn opening(&self, key: PortKey, socket: SocketId) -> Option<&Moment> {
        let of_socket = |moment: &&Moment| moment.socket.is(socket);
        let opens = |moment: &&Moment| {
            moment.time.is_some() && matches!(moment.what, MomentKind::Bound { .. } | MomentKind::Connected)
        };
        self.of(key)
            .iter()
            .rev()
            .filter(of_socket)
            // A socket without an inode is identified only until it is freed.
            .take_while(|moment| socket.inode != 0 || moment.what != MomentKind::Closed)
            .find(opens)
    }

    /// Recorded binds of sockets that have not released the port since.
    pub fn bound(&self) -> impl Iterator<Item = (PortKey, &Moment)> {
        self.ports.iter().flat_map(|(key, life)| {
            let closes = |moment: &Moment, later: &Moment| {
                later.what == MomentKind::Closed && later.socket.is(moment.socket)
            };
            let is_last = move |(at, moment): &(usize, &Moment)| {
                let mut later = life.moments.iter().skip(at + 1);
                matches!(moment.what, MomentKind::Bound { .. }) && !later.any(|later| closes(moment, later))
            };
            life.moments.iter().enumerate().filter(is_last).map(|(_, moment)| (*key, moment))
        })
    }

    /// The moment in which a process closed a connection first and so left its TIME_WAIT socket.
    #[must_use]
    pub fn leaving(&self, key: PortKey, address: IpAddr, peer: (IpAddr, u16)) -> Option<&Moment> {
        self.of(key).iter().rev().find(|moment| {
            moment.what == MomentKind::Leaving && moment.address == address && moment.peer == Some(peer)
        })
    }

    /// Bytes in use, and the limit.
    #[must_use]
    pub fn bytes(&self) -> (usize, usize) {
        (self.bytes, self.most_bytes())
    }

    fn most_bytes(&self) -> usize {
        self.limit.saturating_mul(BYTES_A_MOMENT).max(LEAST_BYTES)
    }

    /// Number of recorded moments.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.moments
    }

    /// Whether no moment is recorded.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.moments == 0
    }

    /// Moments that were forgotten to stay within the limit.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
