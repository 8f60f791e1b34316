//! Lines of the helpers.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::convert;
use super::process::Relative;
use super::refusal::{Cause, Error, Fix, SCHEMA};
use super::socket::{Holder, Socket};
use super::time::Time;
use crate::diagnosis::freeing;
use crate::diagnosis::unix::Object;
use crate::event::{Errno, Name, Process};
use crate::ports;

/// What was asked about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Subject")]
#[non_exhaustive]
pub struct Question<'a> {
    /// The port.
    pub port: Option<u16>,
    /// The one protocol that was asked about.
    pub protocol: Option<Cow<'a, str>>,
    /// The path, or an abstract name behind a `@`.
    pub path: Option<String>,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Its name.
    pub netns_name: Option<Cow<'a, str>>,
}

/// What could not be seen, for want of privileges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Unseen {
    /// Processes whose descriptors may not be read, if a holder may be missing for that.
    pub processes: usize,
    /// Sockets that are bound and nothing else could not be looked for.
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
    /// When it was looked, as [`Refusal::time`](crate::wire::Refusal::time).
    pub time: Time,
    /// What was asked about.
    pub subject: Question<'a>,
    /// The sockets, listeners first.
    pub holders: Vec<Holder<'a>>,
    /// A socket file that no socket is bound to is at the path.
    pub stale: bool,
    /// Of a path: a socket is bound to the socket file there, though none may be among `holders`. Null if that cannot be
    /// seen, or no socket file is there.
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
    /// When it was tried, as [`Refusal::time`](crate::wire::Refusal::time).
    pub time: Time,
    /// The bind would succeed.
    pub free: bool,
    /// The call that would fail: `bind` or `listen`.
    pub operation: Option<Cow<'a, str>>,
    /// What its caller would get.
    pub error: Option<Error<'a>>,
    /// The socket that was tried.
    pub socket: Socket<'a>,
    /// Sockets on the port, those that conflict first.
    pub holders: Vec<Holder<'a>>,
    /// Why it would fail.
    pub cause: Option<Cause<'a>>,
    /// What would make it work, safest first.
    pub fixes: Vec<Fix<'a>>,
    /// What may make the same bind fail another time.
    pub warnings: Vec<Fix<'a>>,
    /// The kernel did as its rule, and the sockets that were found, had led to expect.
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
    /// It has come.
    pub reached: bool,
    /// Milliseconds of waiting.
    pub waited_ms: f64,
    /// The socket that wants the port, or the address that is to be listened on.
    pub socket: Socket<'a>,
    /// Who has the port; where it has become free, who had it when that was last looked at.
    pub holders: Vec<Holder<'a>>,
    /// What the bind fails with however long it waits.
    pub error: Option<Error<'a>>,
    /// Why.
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
    /// When that was known, as [`Refusal::time`](crate::wire::Refusal::time).
    pub time: Time,
    /// What was to be freed.
    pub subject: Question<'a>,
    /// `planned`, `forbidden` or `done`.
    pub stage: Cow<'a, str>,
    /// It is free.
    pub free: bool,
    /// Processes that were, or would be, stopped.
    pub targets: Vec<Relative<'a>>,
    /// The processes that were asked to end.
    pub stopped: Vec<Stopped<'a>>,
    /// What forbids to stop anybody, and who is left alone though it has the socket.
    pub obstacles: Vec<Obstacle<'a>>,
    /// The command that stops what systemd would start again.
    pub command: Option<String>,
    /// The sockets on the port before, or those that have the name.
    pub holders: Vec<Holder<'a>>,
    /// Sockets that are still on the port, those that conflict first.
    pub holders_now: Vec<Holder<'a>>,
    /// Why it is not free.
    pub cause: Option<Cause<'a>>,
    /// What helps, safest first.
    pub fixes: Vec<Fix<'a>>,
    /// What could not be seen.
    pub unseen: Unseen,
}

/// A process that was asked to end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Stopped<'a> {
    /// The process.
    pub pid: u32,
    /// Its name.
    pub comm: Cow<'a, str>,
    /// `gone`, `ended`, `let_go`, `killed`, `denied` or `lingering`.
    pub outcome: Cow<'a, str>,
}

/// What forbids to stop anybody, or to stop one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Obstacle<'a> {
    /// Why nobody is stopped: `init`, `own`, `managed`, `undecided` (one of several process trees that have the socket,
    /// and which of them bound it is not known) or `nobody`. Why this process is not: `handed` (it was handed the
    /// socket, or may have been).
    pub reason: Cow<'a, str>,
    /// The process, if it is one.
    pub process: Option<Relative<'a>>,
    /// The unit that is to be stopped.
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
        let ports::Stopped { process, outcome } = stopped;
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
            freeing::Obstacle::Managed { process, manager } => of("managed", process, Some(&manager.unit)),
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
