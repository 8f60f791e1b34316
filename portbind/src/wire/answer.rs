//! The lines of `who`, `check`, `wait` and `free`.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::convert;
use super::process::Relative;
use super::refusal::{Cause, Error, Fix, SCHEMA};
use super::socket::{Holder, Socket};
use super::time::Time;
use crate::diagnosis::freeing;
use crate::diagnosis::manager::Manager;
use crate::diagnosis::unix::Object;
use crate::event::{Errno, Name, Process};
use crate::ports;

/// The subject of a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Subject")]
#[non_exhaustive]
pub struct Question<'a> {
    /// The port.
    pub port: Option<u16>,
    /// The protocol, if the question was about only one.
    pub protocol: Option<Cow<'a, str>>,
    /// The path, or `@` and an abstract name.
    pub path: Option<String>,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Name of the network namespace.
    pub netns_name: Option<Cow<'a, str>>,
}

/// What could not be seen for lack of privileges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Unseen {
    /// Processes whose descriptors could not be read, if a holder may be missing because of that.
    pub processes: usize,
    /// portbind could not search for sockets that are bound but neither listen nor are connected.
    pub bound_sockets: bool,
}

/// A line of kind `who`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Who<'a> {
    /// [`SCHEMA`].
    pub schema: Cow<'a, str>,
    /// `who`.
    pub kind: Cow<'a, str>,
    /// The time of the search, as [`Refusal::time`](crate::wire::Refusal::time).
    pub time: Time,
    /// The subject of the question.
    pub subject: Question<'a>,
    /// The sockets, listeners first.
    pub holders: Vec<Holder<'a>>,
    /// The path is a socket file to which no socket is bound.
    pub stale: bool,
    /// For a path: a socket is bound to the socket file, though `holders` may lack it. Null if this cannot be
    /// determined, or if the path is not a socket file.
    #[serde(default)]
    pub live: Option<bool>,
    /// What could not be seen.
    pub unseen: Unseen,
}

impl<'a> From<&'a ports::Who> for Who<'a> {
    fn from(who: &'a ports::Who) -> Self {
        Self {
            schema: SCHEMA.into(),
            kind: "who".into(),
            time: Time(who.time),
            subject: Question::from(&who.request),
            holders: who.holders.iter().map(Holder::from).collect(),
            stale: who.object == Some(Object::StaleSocket),
            live: match who.object {
                Some(Object::LiveSocket) => Some(true),
                Some(Object::StaleSocket) => Some(false),
                _ => None,
            },
            unseen: Unseen::from(who.unseen),
        }
    }
}

/// A line of kind `check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Check<'a> {
    /// [`SCHEMA`].
    pub schema: Cow<'a, str>,
    /// `check`.
    pub kind: Cow<'a, str>,
    /// When the bind was tried, as [`Refusal::time`](crate::wire::Refusal::time).
    pub time: Time,
    /// The bind would succeed.
    pub free: bool,
    /// The call that would fail: `bind` or `listen`.
    pub operation: Option<Cow<'a, str>>,
    /// The error that the caller would receive.
    pub error: Option<Error<'a>>,
    /// The socket that was bound on trial.
    pub socket: Socket<'a>,
    /// Sockets on the port; the ones in the way come first.
    pub holders: Vec<Holder<'a>>,
    /// Why the bind would fail.
    pub cause: Option<Cause<'a>>,
    /// Remedies, safest first.
    pub fixes: Vec<Fix<'a>>,
    /// Conditions that can make the same bind fail another time.
    pub warnings: Vec<Fix<'a>>,
    /// The result matches the prediction from the kernel's rule and the sockets that were found.
    pub as_expected: bool,
    /// What could not be seen.
    pub unseen: Unseen,
}

impl<'a> From<&'a ports::Check> for Check<'a> {
    fn from(check: &'a ports::Check) -> Self {
        let refusal = check.refusal.as_ref();
        Self {
            schema: SCHEMA.into(),
            kind: "check".into(),
            time: Time(check.time),
            free: refusal.is_none(),
            operation: refusal.map(|refusal| refusal.operation.as_str().into()),
            error: refusal.map(|refusal| Error::from(refusal.error)),
            socket: Socket::from(&check.socket),
            holders: check.holders().iter().map(Holder::from).collect(),
            cause: refusal.map(|refusal| Cause::from(&refusal.cause)),
            fixes: refusal.into_iter().flat_map(|refusal| &refusal.fixes).map(Fix::from).collect(),
            warnings: check.warnings.iter().map(Fix::from).collect(),
            as_expected: check.as_expected,
            unseen: Unseen::from(check.unseen),
        }
    }
}

/// A line of kind `wait`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Wait<'a> {
    /// [`SCHEMA`].
    pub schema: Cow<'a, str>,
    /// `wait`.
    pub kind: Cow<'a, str>,
    /// When the waiting ended, as [`Refusal::time`](crate::wire::Refusal::time).
    pub time: Time,
    /// `free` or `listening`.
    pub until: Cow<'a, str>,
    /// The port reached the state.
    pub reached: bool,
    /// Milliseconds spent waiting.
    pub waited_ms: f64,
    /// The socket to be bound, or the address on which a process is to listen.
    pub socket: Socket<'a>,
    /// The holders of the port; if the port has become free, the holders in the last poll before.
    pub holders: Vec<Holder<'a>>,
    /// The error of the bind that no waiting changes.
    pub error: Option<Error<'a>>,
    /// The cause of the error.
    pub cause: Option<Cause<'a>>,
    /// What could not be seen.
    pub unseen: Unseen,
}

impl<'a> From<&'a ports::Wait> for Wait<'a> {
    fn from(wait: &'a ports::Wait) -> Self {
        let hopeless = wait.hopeless.as_ref();
        Self {
            schema: SCHEMA.into(),
            kind: "wait".into(),
            time: Time(wait.time),
            until: wait.until.as_str().into(),
            reached: wait.reached,
            waited_ms: wait.waited.as_millis_f64(),
            socket: Socket::from(&wait.socket),
            holders: wait.holders.iter().map(Holder::from).collect(),
            error: hopeless.map(|refusal| Error::from(refusal.error)),
            cause: hopeless.map(|refusal| Cause::from(&refusal.cause)),
            unseen: Unseen::from(wait.unseen),
        }
    }
}

/// A line of kind `free`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Freed<'a> {
    /// [`SCHEMA`].
    pub schema: Cow<'a, str>,
    /// `free`.
    pub kind: Cow<'a, str>,
    /// When the result was known, as [`Refusal::time`](crate::wire::Refusal::time).
    pub time: Time,
    /// The port or path to free.
    pub subject: Question<'a>,
    /// `planned`, `forbidden` or `done`.
    pub stage: Cow<'a, str>,
    /// The port or path is free.
    pub free: bool,
    /// Processes that were, or would be, stopped.
    pub targets: Vec<Relative<'a>>,
    /// Those of the targets that end with the process that started them. They are signalled only if they outlive it.
    #[serde(default)]
    pub workers: Vec<Relative<'a>>,
    /// The processes that were signalled, or ended with one that was.
    pub stopped: Vec<Stopped<'a>>,
    /// What forbids stopping any process, and the owners of the socket that are not stopped.
    pub obstacles: Vec<Obstacle<'a>>,
    /// The command that stops the unit that systemd would restart.
    pub command: Option<String>,
    /// The sockets that were on the port, or that have the name.
    pub holders: Vec<Holder<'a>>,
    /// Sockets that are still on the port; the ones in the way come first.
    pub holders_now: Vec<Holder<'a>>,
    /// Why the port or path is not free.
    pub cause: Option<Cause<'a>>,
    /// Remedies, safest first.
    pub fixes: Vec<Fix<'a>>,
    /// What could not be seen.
    pub unseen: Unseen,
}

/// A process that was signalled, or ended with one that was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Stopped<'a> {
    /// The pid of the process.
    pub pid: u32,
    /// The name of the process.
    pub comm: Cow<'a, str>,
    /// `gone`, `ended`, `ended_with`, `let_go`, `still_runs`, `killed`, `denied` or `lingering`.
    pub outcome: Cow<'a, str>,
}

/// What forbids stopping any process, or stopping one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Obstacle<'a> {
    /// Why no process is stopped: `init`, `own`, `managed`, `undecided` (several process trees have the socket open,
    /// and it is unknown which of them bound it) or `nobody`. Why one process is not stopped: `handed` (the process
    /// received the socket from another process, or may have).
    pub reason: Cow<'a, str>,
    /// The process, if the obstacle is one.
    pub process: Option<Relative<'a>>,
    /// The unit to stop instead.
    pub unit: Option<Cow<'a, str>>,
}

impl<'a> From<&'a ports::Freed> for Freed<'a> {
    fn from(freed: &'a ports::Freed) -> Self {
        let refusal = freed.refusal.as_ref();
        let relative =
            |process: &'a Process| Relative { pid: process.pid, comm: process.comm.as_str().into() };
        Self {
            schema: SCHEMA.into(),
            kind: "free".into(),
            time: Time(freed.time),
            subject: Question::from(&freed.request),
            stage: freed.stage.as_str().into(),
            free: freed.is_free,
            targets: freed.plan.targets.iter().map(|target| relative(&target.process)).collect(),
            workers: freed.plan.workers().map(|target| relative(&target.process)).collect(),
            stopped: freed.stopped.iter().map(Stopped::from).collect(),
            obstacles: freed.plan.obstacles.iter().map(Obstacle::from).collect(),
            command: freed.plan.command().map(|command| command.to_string()),
            holders: freed.holders.iter().map(Holder::from).collect(),
            holders_now: refusal.into_iter().flat_map(|refusal| &refusal.holders).map(Holder::from).collect(),
            cause: refusal.map(|refusal| &refusal.cause).or(freed.cause.as_ref()).map(Cause::from),
            fixes: refusal.into_iter().flat_map(|refusal| &refusal.fixes).map(Fix::from).collect(),
            unseen: Unseen::from(freed.unseen),
        }
    }
}

impl<'a> From<&'a ports::Stopped> for Stopped<'a> {
    fn from(stopped: &'a ports::Stopped) -> Self {
        let ports::Stopped { process, outcome, .. } = stopped;
        Self { pid: process.pid, comm: process.comm.as_str().into(), outcome: outcome.as_str().into() }
    }
}

impl<'a> From<&'a freeing::Obstacle> for Obstacle<'a> {
    fn from(obstacle: &'a freeing::Obstacle) -> Self {
        let of = |reason: &'static str, process: &'a Process, unit: Option<&'a str>| Self {
            reason: reason.into(),
            process: Some(Relative { pid: process.pid, comm: process.comm.as_str().into() }),
            unit: unit.map(Cow::from),
        };
        match obstacle {
            freeing::Obstacle::Init(process) => of("init", process, None),
            freeing::Obstacle::Own(process) => of("own", process, None),
            freeing::Obstacle::Managed { process, manager } => {
                let unit = match manager {
                    Manager::Unit { unit, .. } => Some(unit.as_str()),
                    _ => None,
                };
                of("managed", process, unit)
            }
            freeing::Obstacle::Handed { process, .. } => of("handed", process, None),
            freeing::Obstacle::Undecided(process) => of("undecided", process, None),
            freeing::Obstacle::Nobody(_) => Self { reason: "nobody".into(), process: None, unit: None },
        }
    }
}

impl From<Errno> for Error<'_> {
    fn from(error: Errno) -> Self {
        Self { name: error.name().map(Cow::from), number: error.0 }
    }
}

impl<'a> From<&'a ports::Request> for Question<'a> {
    fn from(request: &'a ports::Request) -> Self {
        let (port, path) = match &request.target {
            ports::PortOrName::Port(port) => (Some(*port), None),
            ports::PortOrName::Name(name) => (None, Name::path(name)),
        };
        Self {
            port,
            protocol: request.protocol.map(convert::protocol),
            path,
            netns: request.netns,
            netns_name: request.netns_name.as_deref().map(Cow::from),
        }
    }
}

impl From<ports::Unseen> for Unseen {
    fn from(unseen: ports::Unseen) -> Self {
        let ports::Unseen { processes, bound_sockets } = unseen;
        Self { processes, bound_sockets }
    }
}
