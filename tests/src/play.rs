//! Plays a scenario, and records which refusals portbind must report.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::actor::{Action, Answer};
use crate::actors::{Actors, Owners};
use crate::scenario::{Expected, ExpectedHolder, Play, Step};

/// A refusal that happened, and the facts that portbind must report.
#[derive(Debug)]
pub struct Refusal {
    /// The step, for messages.
    pub step: String,
    /// The caller.
    pub pid: u32,
    /// The call.
    pub operation: String,
    /// The errno.
    pub error: String,
    /// The requested address and port, or the requested name.
    pub asked: String,
    /// The code of the cause, if it is checked.
    pub cause: Option<String>,
    /// Text that the summary must contain, if it is checked.
    pub says: Option<String>,
    /// Protocol, if it is checked.
    pub protocol: Option<String>,
    /// The holders in the way.
    pub holders: Vec<Holder>,
    /// No holder was in the way.
    pub no_holder: bool,
    /// Other holders may have been in the way, too.
    pub others: bool,
    /// Sockets that were not in the way, by label.
    pub not_blamed: BTreeMap<String, u64>,
    /// Codes of the remedies, if they are checked.
    pub fixes: Option<Vec<String>>,
    /// Text that the first remedy must contain, if it is checked.
    pub fix_says: Option<String>,
}

/// A holder in the way, in its state at that moment.
#[derive(Debug)]
pub struct Holder {
    /// Its label, or a substitute.
    pub name: String,
    /// Its inode.
    pub inode: Option<u64>,
    /// The scenario's expectations.
    pub expected: ExpectedHolder,
    /// The owners at that moment.
    pub owners: Owners,
    /// How long it had been in TIME_WAIT.
    pub time_wait_age: Option<RangeInclusive<Duration>>,
    /// The process that bound the socket, if it is checked.
    pub opened_by: Option<u32>,
    /// The process that closed the connection first, if it is checked.
    pub left_by: Option<u32>,
}

/// Plays all steps. The actors in `actors` continue to run.
///
/// After each refusal `shown` is called with the pids and the number of refusals so far: it waits until portbind has
/// reported all of them, so that no step closes a socket that portbind still has to read.
///
/// # Errors
///
/// If a step does not end as the scenario specifies.
pub fn play(
    play: &Play,
    actors: &mut Actors,
    mut shown: impl FnMut(&BTreeSet<u32>, usize),
) -> anyhow::Result<Vec<Refusal>> {
    let mut stage = Stage::default();
    for (index, step) in play.steps.iter().enumerate() {
        let name = format!("step {} ({} {})", index + 1, step.actor, verb(&step.action));
        let before = stage.refusals.len();
        stage.step(&name, step, actors).with_context(|| name.clone())?;
        if stage.refusals.len() > before {
            shown(&actors.pids().collect(), stage.refusals.len());
        }
    }
    Ok(stage.refusals)
}

/// The times at which an action was requested and answered: it happened in between. On a busy machine there may be
/// seconds between them.
#[derive(Clone, Copy)]
struct Span {
    asked: Instant,
    answered: Instant,
}

impl Span {
    /// How much later than `before` this action happened: minimum and maximum.
    fn since(self, before: Span) -> RangeInclusive<Duration> {
        self.asked.saturating_duration_since(before.answered)
            ..=self.answered.saturating_duration_since(before.asked)
    }
}

/// State between the steps.
#[derive(Default)]
struct Stage {
    refusals: Vec<Refusal>,
    addresses: BTreeMap<String, (IpAddr, u16)>,
    marks: BTreeMap<String, Span>,
}

impl Stage {
    /// Plays one step.
    fn step(&mut self, name: &str, step: &Step, actors: &mut Actors) -> anyhow::Result<()> {
        if step.stranger && actors.pid(&step.actor).is_none() {
            actors.cast_stranger(&step.actor)?;
        }
        let asked = Instant::now();
        let answer = actors.perform(&step.actor, &step.action)?;
        let now = Span { asked, answered: Instant::now() };
        if answer.error != step.expect {
            let got = answer.error.as_deref().unwrap_or("success");
            bail!("expected {}, got {got}", step.expect.as_deref().unwrap_or("success"));
        }
        if let Some(mark) = &step.mark {
            self.marks.insert(mark.clone(), now);
        }
        self.remember(&step.action, &answer);
        let is_bind = matches!(step.action, Action::Bind { .. } | Action::Listen { .. });
        if step.event.is_some() || (is_bind && step.expect.is_some()) {
            let expected = step.event.clone().unwrap_or_default();
            let refusal = self.refusal(name, step, &expected, actors, now)?;
            self.refusals.push(refusal);
        }
        Ok(())
    }

    /// Records the address of a socket.
    fn remember(&mut self, action: &Action, answer: &Answer) {
        let label = match action {
            Action::Socket { new, .. } | Action::Accept { new, .. } | Action::Take { new } => new,
            Action::Bind { socket, .. } | Action::Connect { socket, .. } => socket,
            _ => return,
        };
        if let (Some(address), Some(port)) = (answer.address, answer.port) {
            self.addresses.insert(label.clone(), (address, port));
        }
    }

    /// The expected report about the refusal of a step.
    fn refusal(
        &self,
        name: &str,
        step: &Step,
        expected: &Expected,
        actors: &Actors,
        now: Span,
    ) -> anyhow::Result<Refusal> {
        let endpoint = |(address, port): (IpAddr, u16)| {
            format!("{}:{}", expected.address.unwrap_or(address), expected.port.unwrap_or(port))
        };
        let (operation, asked) = match &step.action {
            Action::Bind { address, port, .. } => ("bind", endpoint((*address, *port))),
            Action::BindName { name, .. } => ("bind", name.as_shown(actors.folder())),
            Action::Listen { socket, .. } => ("listen", endpoint(self.address(socket)?)),
            Action::Connect { socket, .. } | Action::Datagram { socket, .. } => {
                ("autobind", endpoint(self.address(socket)?))
            }
            _ => bail!("only bind, listen, connect and datagram can be refused"),
        };
        let mut not_blamed = BTreeMap::new();
        for label in &expected.not_blamed {
            let inode = actors.inode(label).with_context(|| format!("no socket is labelled {label}"))?;
            not_blamed.insert(label.clone(), inode);
        }
        let folder = actors.folder().display().to_string();
        let in_folder = |says: &str| says.replace("$folder", &folder);
        let error = expected.error.as_ref().or(step.expect.as_ref());
        Ok(Refusal {
            step: name.to_owned(),
            pid: actors.pid(&step.actor).context("the actor has no pid")?,
            operation: expected.operation.clone().unwrap_or_else(|| operation.to_owned()),
            error: error.context("a success is no refusal")?.clone(),
            asked,
            cause: expected.cause.clone(),
            says: expected.says.as_deref().map(in_folder),
            protocol: expected.protocol.clone(),
            holders: expected
                .holders
                .iter()
                .map(|holder| self.holder(holder, actors, now))
                .collect::<Result<_, _>>()?,
            no_holder: expected.no_holder,
            others: expected.others,
            not_blamed,
            fixes: expected.fixes.clone(),
            fix_says: expected.fix_says.as_deref().map(in_folder),
        })
    }

    /// A holder in its current state.
    fn holder(&self, expected: &ExpectedHolder, actors: &Actors, now: Span) -> anyhow::Result<Holder> {
        let inode = match &expected.socket {
            Some(label) => {
                Some(actors.inode(label).with_context(|| format!("no socket is labelled {label}"))?)
            }
            None => None,
        };
        let owners = inode.map(|inode| actors.owners(inode)).unwrap_or_default();
        if let Some(names) = &expected.processes {
            let pids: BTreeSet<u32> = names.iter().filter_map(|name| actors.pid(name)).collect();
            if pids.len() != names.len() || !pids.iter().eq(owners.keys()) {
                bail!("the scenario says {names:?} have the socket open, but {owners:?} have");
            }
        }
        let since = expected.time_wait_since.as_ref();
        let mark =
            since.map(|mark| self.marks.get(mark).with_context(|| format!("no mark {mark}"))).transpose()?;
        let named = |name: &Option<String>| match name {
            Some(name) => actors.pid(name).map(Some).with_context(|| format!("no actor {name}")),
            None => Ok(None),
        };
        Ok(Holder {
            opened_by: named(&expected.opened_by)?,
            left_by: named(&expected.left_by)?,
            name: expected
                .socket
                .as_ref()
                .or(expected.state.as_ref())
                .map_or("a socket without inode", String::as_str)
                .to_owned(),
            inode,
            expected: expected.clone(),
            owners,
            time_wait_age: mark.map(|mark| now.since(*mark)),
        })
    }

    /// The address of a socket.
    fn address(&self, label: &str) -> anyhow::Result<(IpAddr, u16)> {
        self.addresses.get(label).copied().with_context(|| format!("the address of {label} is not known"))
    }
}

/// The name of an action in messages.
fn verb(action: &Action) -> String {
    let value = serde_json::to_value(action).ok();
    let verb = value.as_ref().and_then(|value| value.get("do")).and_then(serde_json::Value::as_str);
    verb.unwrap_or("action").to_owned()
}
