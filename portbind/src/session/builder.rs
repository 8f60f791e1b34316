//! The settings of a session.

use std::time::Duration;

use portbind_abi::{ERROR_WORDS, Filter, PORT_WORDS, life};

use super::engine::Engine;
use super::error::Error;
use super::filter::{self, ProtocolFilter};
use super::run::{Settings, records};
use super::stream::{Session, Waiting};
use crate::event::Errno;
use crate::host::{Host, Privileges, generation};
use crate::kernel::backend::Backend;
use crate::kernel::tracer::{Options, Tracer};

/// Default number of port events to record.
pub(crate) const HISTORY_LIMIT: usize = 8192;
/// Default time limit for the end of a session; including the last lines, it ends within a second.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(750);

/// The settings of a session. The default is every EADDRINUSE on this machine, with the first backend that works.
///
/// Refusals have to pass all filters. A setting that is made twice has its last value. An empty set of ports, errors or
/// protocols is an error at the start.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    filter: Filter,
    ports: Option<Box<[u64; PORT_WORDS as usize]>>,
    protocols: Option<u32>,
    tracks_connects: bool,
    backends: Vec<Backend>,
    settings: Settings,
}

impl Default for Builder {
    fn default() -> Self {
        let settings = Settings { count: None, history_limit: HISTORY_LIMIT, last_words: LAST_WORDS };
        Self {
            filter: Filter::ANY,
            ports: None,
            protocols: None,
            tracks_connects: false,
            backends: Backend::preferred(generation()),
            settings,
        }
    }
}

impl Session {
    /// The settings of a session, to be changed and started. A start needs the rights of root (CAP_BPF, CAP_PERFMON and
    /// CAP_SYS_PTRACE).
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Only refusals of these ports; port 0 stands for calls that request any port. Sockets without a port are left
    /// out.
    pub fn ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        let mut words = Box::new([0; PORT_WORDS as usize]);
        for port in ports {
            if let Some(word) = words.get_mut(usize::from(port / 64)) {
                *word |= 1 << (port % 64);
            }
        }
        self.ports = Some(words);
        self
    }

    /// Only refusals with these errors, and no longer EADDRINUSE unless it is among them. `(1..=133).map(Errno)` has
    /// every error of Linux.
    pub fn errors(mut self, errors: impl IntoIterator<Item = Errno>) -> Self {
        self.filter.errors = filter::errors(errors);
        self
    }

    /// Only refusals of sockets with these protocols, or of these families.
    pub fn protocols(mut self, protocols: impl IntoIterator<Item = ProtocolFilter>) -> Self {
        self.protocols = Some(protocols.into_iter().fold(0, |bits, protocol| bits | protocol.bit()));
        self
    }

    /// Only refusals of this process, by thread group id; 0 stands for every process.
    pub const fn pid(mut self, pid: u32) -> Self {
        self.filter.pid = pid;
        self
    }

    /// Only refusals of processes or threads with this name. The kernel keeps 15 bytes of a name: further ones are not
    /// compared.
    pub fn comm(mut self, name: &str) -> Self {
        (self.filter.comm, self.filter.comm_mask) = filter::comm(name);
        self
    }

    /// Only refusals in this network namespace, by its inode number: that of `/proc/PID/ns/net`, or
    /// [`Socket::netns`](crate::event::Socket::netns); 0 stands for every namespace.
    pub const fn netns(mut self, inode: u32) -> Self {
        self.filter.netns = inode;
        self
    }

    /// Only this backend, instead of the first that works.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backends = vec![backend];
        self
    }

    /// Ends the session after this many refusals; without it, a session does not end by itself. Repeats do not count.
    pub const fn count(mut self, refusals: u64) -> Self {
        self.settings.count = Some(refusals);
        self
    }

    /// Also records the ports that connect(2) picks, for [`Refusal::history`](crate::event::Refusal::history): by
    /// default only binds, listens and ends of bound sockets.
    pub const fn track_connects(mut self, tracks: bool) -> Self {
        self.tracks_connects = tracks;
        self
    }

    /// Limits the number of port events that the session remembers for
    /// [`Refusal::history`](crate::event::Refusal::history) and to recognize holders that have ended; 8192 by default.
    pub const fn history_limit(mut self, moments: usize) -> Self {
        self.settings.history_limit = moments;
        self
    }

    /// Limits the time in which [`Session::finish`] describes the remaining refusals; 750 ms by default. Refusals for
    /// which no time is left are counted.
    pub const fn last_words(mut self, time: Duration) -> Self {
        self.settings.last_words = time;
        self
    }

    /// Loads and attaches the programs. Must be called within a tokio runtime with time and I/O enabled.
    ///
    /// # Errors
    /// If a filter is an empty set, a capability is missing, or no backend works on this kernel; see [`Error::hint`].
    pub fn start(self) -> Result<Session, Error> {
        self.check_sets()?;
        let missing = Privileges::read().missing();
        if !missing.is_empty() {
            return Err(Error::Privileges(missing));
        }
        let filter = Filter {
            ports: u32::from(self.ports.is_some()),
            protocols: self.protocols.unwrap_or(0),
            ignored_pid: std::process::id(),
            life: life::BOUND | if self.tracks_connects { life::CONNECTED } else { 0 },
            ..self.filter
        };
        let options = Options { backends: self.backends, filter, ports: self.ports, descendants: false };
        let tracer = Tracer::start(&options)?;
        let records = records(&tracer)?;
        let mut engine = Engine::new(self.settings, Host::new(), tracer, records, Waiting::default());
        engine.begin(false)?;
        Ok(Session::of(engine))
    }

    /// The kernel half takes an empty set of protocols for any protocol, and would trace nothing with the others.
    fn check_sets(&self) -> Result<(), Error> {
        let sets = [
            ("errors", self.filter.errors == [0; ERROR_WORDS]),
            ("ports", self.ports.as_ref().is_some_and(|words| words.iter().all(|word| *word == 0))),
            ("protocols", self.protocols == Some(0)),
        ];
        sets.into_iter()
            .find(|(_, is_empty)| *is_empty)
            .map_or(Ok(()), |(name, _)| Err(Error::EmptyFilter(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_sets_are_errors() {
        let builder = Session::builder;
        for (name, builder) in [
            ("errors", builder().errors([])),
            ("errors", builder().errors([Errno(192)])),
            ("ports", builder().ports([])),
            ("protocols", builder().protocols([])),
        ] {
            assert!(matches!(builder.start(), Err(Error::EmptyFilter(set)) if set == name), "{name}");
        }
        let tcp = builder().errors([Errno::EADDRINUSE]).ports([0]).protocols([ProtocolFilter::Tcp]);
        assert!(tcp.check_sets().is_ok() && builder().check_sets().is_ok());
    }
}
