//! Waits until a port is free, or a process listens on it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::bind::Bind;
use super::check::check_socket;
use super::error::Error;
use super::inspector::Inspector;
use crate::diagnosis::predict::{accepts, may_pass};
use crate::event::{Errno, Holder, Refusal, Socket};
use crate::host::port_sockets::{self, PortSocket, Protocols, Query, Unseen};
use crate::host::{generation, trial};

/// The first and the longest pause between two polls.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// The state to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Until {
    /// A bind would succeed.
    Free,
    /// A process listens.
    Listening,
}

impl Until {
    /// The word for it in every output format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Listening => "listening",
        }
    }
}

/// The result of waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// When the waiting ended.
    pub time: Timestamp,
    /// The state that was waited for.
    pub until: Until,
    /// The port reached the state.
    pub reached: bool,
    /// The time spent waiting.
    pub waited: SignedDuration,
    /// The socket to be bound, or the address on which a process is to listen.
    pub socket: Socket,
    /// The holders of the port; if the port has become free, the holders in the last poll before.
    pub holders: Vec<Holder>,
    /// The refused bind that no waiting changes, and its cause.
    pub hopeless: Option<Refusal>,
    /// What portbind was not allowed to see.
    pub unseen: Unseen,
}

/// The result of one poll.
enum Poll {
    Reached,
    NotYet,
    /// The bind fails for another reason than a taken port.
    Hopeless(Box<Refusal>),
}

/// Waits until a port is free, or a process listens on it; without `timeout`, for ever.
///
/// [`Until::Free`] is reached when [`check`](super::check()) succeeds for the same bind. The bind is tried only when
/// the kernel's rule allows it. A listener is a socket that receives what is sent to the address of `bind` (any
/// address, if `bind` has none). portbind polls every 1 to 50 ms.
///
/// # Errors
/// If the network namespace cannot be entered, or the kernel does not list its sockets.
pub fn wait(
    inspector: &Inspector,
    bind: &Bind,
    until: Until,
    timeout: Option<Duration>,
) -> Result<Wait, Error> {
    let waiting = Waiting {
        inspector,
        until,
        address: bind.address,
        socket: inspector.socket(bind),
        known: Vec::new(),
        holders: Vec::new(),
        unseen: Unseen::default(),
    };
    waiting.run(timeout)
}

struct Waiting<'a> {
    inspector: &'a Inspector,
    until: Until,
    address: Option<IpAddr>,
    socket: Socket,
    /// Inodes of the sockets whose owners are known.
    known: Vec<u64>,
    holders: Vec<Holder>,
    unseen: Unseen,
}

impl Waiting<'_> {
    fn run(mut self, timeout: Option<Duration>) -> Result<Wait, Error> {
        let begin = Instant::now();
        let mut pause = PAUSES.0;
        let poll = loop {
            let poll = self.poll()?;
            let left = timeout.map_or(Duration::MAX, |timeout| timeout.saturating_sub(begin.elapsed()));
            if !matches!(poll, Poll::NotYet) || left.is_zero() {
                break poll;
            }
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(PAUSES.1);
        };
        let waited = SignedDuration::try_from(begin.elapsed()).unwrap_or(SignedDuration::MAX);
        if self.until == Until::Listening || !matches!(poll, Poll::Reached) {
            self.ask_people()?;
        }
        let (reached, hopeless) = match poll {
            Poll::Reached => (true, None),
            Poll::NotYet => (false, None),
            Poll::Hopeless(refusal) => (false, Some(*refusal)),
        };
        Ok(Wait {
            time: self.inspector.now(),
            until: self.until,
            reached,
            waited,
            socket: self.shown(),
            holders: std::mem::take(&mut self.holders),
            hopeless,
            unseen: self.unseen,
        })
    }

    fn poll(&mut self) -> Result<Poll, Error> {
        match self.until {
            Until::Free => self.poll_free(),
            Until::Listening => self.poll_listener(),
        }
    }

    fn poll_listener(&self) -> Result<Poll, Error> {
        let query = Query::listening(self.socket.port, Protocols::One(self.socket.protocol));
        let sockets = self.ask(&query)?;
        let is_there = sockets.iter().any(|socket| accepts(&socket.holder(), self.address));
        Ok(if is_there { Poll::Reached } else { Poll::NotYet })
    }

    fn poll_free(&mut self) -> Result<Poll, Error> {
        let sockets = self.ask(&self.query())?;
        let holders: Vec<Holder> = sockets.iter().map(PortSocket::holder).collect();
        if may_pass(generation(), &self.socket, &holders) {
            let socket = &self.socket;
            let trial = self.inspector.netns.inside(|| trial::serve(socket)).map_err(Error::Netns)?;
            match trial {
                Ok(()) => return Ok(Poll::Reached),
                Err(refused) if refused.error != Errno::EADDRINUSE => {
                    let check = check_socket(self.inspector, socket)?;
                    return Ok(check
                        .refusal
                        .map_or(Poll::NotYet, |refusal| Poll::Hopeless(Box::new(refusal))));
                }
                Err(_) => {}
            }
        }
        let inodes: Vec<u64> =
            sockets.iter().map(|socket| socket.inode).filter(|&inode| inode != 0).collect();
        // A process that holds the port now may have ended when the port is free.
        if inodes != self.known || self.holders.is_empty() {
            self.ask_people()?;
            self.known = inodes;
        }
        Ok(Poll::NotYet)
    }

    fn ask(&self, query: &Query) -> Result<Vec<PortSocket>, Error> {
        port_sockets::ask(&self.inspector.host.entrance, &self.inspector.netns, query)
            .map_err(|error| self.inspector.error(error))
    }

    const fn query(&self) -> Query {
        Query::port(self.socket.port, Protocols::One(self.socket.protocol))
    }

    fn ask_people(&mut self) -> Result<(), Error> {
        let found = self.inspector.find(&self.query())?;
        self.holders = found.holders;
        if self.until == Until::Listening {
            self.holders.retain(|holder| accepts(holder, self.address));
        }
        self.unseen = found.unseen;
        Ok(())
    }

    /// The socket with the requested address; for listeners any socket will do.
    fn shown(&self) -> Socket {
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        match self.until {
            Until::Free => self.socket.clone(),
            Until::Listening => Socket { address: self.address.unwrap_or(any), ..self.socket.clone() },
        }
    }
}
