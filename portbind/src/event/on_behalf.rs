//! Refusals of daemons that clients of the wrapped command may have caused.

/// Whose work a daemon did when a bind of the daemon, or of a process that it started, was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnBehalf {
    /// The daemon, by its name.
    pub daemon: &'static str,
    /// The client of the wrapped command whose arguments name what was refused; `None` if no client's do.
    pub client: Option<Asking>,
}

/// A client, and what its arguments have in common with a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asking {
    /// The pid of the client.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// What both have in common.
    pub link: Link,
}

/// What a client's arguments have in common with a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Link {
    /// The published port.
    Port(u16),
    /// The container or its pod, by its name.
    Container(String),
    /// The systemd unit.
    Unit(String),
    /// The command line that runs there.
    Arguments,
}

impl OnBehalf {
    /// Work of a daemon, for this client if there is one.
    #[must_use]
    pub const fn new(daemon: &'static str, client: Option<Asking>) -> Self {
        Self { daemon, client }
    }
}

impl Asking {
    /// A client, and what shows that it asked.
    #[must_use]
    pub const fn new(pid: u32, name: String, link: Link) -> Self {
        Self { pid, name, link }
    }
}

impl Link {
    /// The word for it in JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Port(_) => "port",
            Self::Container(_) => "container",
            Self::Unit(_) => "unit",
            Self::Arguments => "arguments",
        }
    }
}
