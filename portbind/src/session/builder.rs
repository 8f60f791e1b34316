//! The settings of a session.

use std::time::Duration;

use portbind_abi::{Filter, PORT_WORDS, life};

use super::engine::Engine;
use super::error::Error;
use super::run::{Settings, records};
use super::stream::{Session, Waiting};
use crate::host::{Host, Privileges};
use crate::kernel::backend::Backend;
use crate::kernel::tracer::{Options, Tracer};

/// Default number of port events to record.
pub(crate) const HISTORY_LIMIT: usize = 8192;
/// Default time limit for the end of a session; including the last lines, it ends within a second.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(750);

/// The settings of a session. The default is every EADDRINUSE on this machine, with the first backend that works; other
/// errors (`portbind trace -e`) cannot be traced by the library yet.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    filter: Filter,
    ports: Option<Box<[u64; PORT_WORDS as usize]>>,
    backends: Vec<Backend>,
    settings: Settings,
}

impl Default for Builder {
    fn default() -> Self {
        let settings = Settings { count: None, history_limit: HISTORY_LIMIT, last_words: LAST_WORDS };
        Self { filter: Filter::ANY, ports: None, backends: Backend::ALL.to_vec(), settings }
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
    /// Only refusals of these ports; port 0 stands for calls that request any port.
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

    /// Only refusals of this process, by thread group id.
    pub const fn pid(mut self, pid: u32) -> Self {
        self.filter.pid = pid;
        self
    }

    /// Only this backend, instead of the first that works.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backends = vec![backend];
        self
    }

    /// Ends the session after this many refusals.
    pub const fn count(mut self, refusals: u64) -> Self {
        self.settings.count = Some(refusals);
        self
    }

    /// Limits the number of recorded port events.
    pub const fn history_limit(mut self, moments: usize) -> Self {
        self.settings.history_limit = moments;
        self
    }

    /// Limits the time that [`Session::finish`] may take.
    pub const fn last_words(mut self, time: Duration) -> Self {
        self.settings.last_words = time;
        self
    }

    /// Loads and attaches the programs. Must be called within a tokio runtime with time and I/O enabled.
    ///
    /// # Errors
    /// If a capability is missing, or no backend works on this kernel.
    pub fn start(self) -> Result<Session, Error> {
        let missing = Privileges::read().missing();
        if !missing.is_empty() {
            return Err(Error::Privileges(missing));
        }
        let filter = Filter {
            ports: u32::from(self.ports.is_some()),
            ignored_pid: std::process::id(),
            life: life::BOUND,
            ..self.filter
        };
        let options = Options { backends: self.backends, filter, ports: self.ports, descendants: false };
        let tracer = Tracer::start(&options)?;
        let records = records(&tracer)?;
        let mut engine = Engine::new(self.settings, Host::new(), tracer, records, Waiting::default());
        engine.begin(false)?;
        Ok(Session::of(engine))
    }
}
