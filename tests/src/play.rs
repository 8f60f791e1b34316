//! Plays a scenario and writes down which refusals portbind must tell.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::actor::{Action, Answer};
use crate::actors::{Actors, Owners};
use crate::scenario::{Expected, ExpectedHolder, Play, Step};

/// A refusal that happened, with what must be said of it.
#[derive(Debug)]
pub struct Refusal {
    /// Which step it was, for messages.
    pub step: String,
    /// The caller.
    pub pid: u32,
    /// The call.
    pub operation: String,
    /// The errno.
    pub error: String,
    /// Address and port, or the name, that was asked for.
    pub asked: String,
    /// The code of the cause, if it matters.
    pub cause: Option<String>,
    /// What its sentence must hold, if it matters.
    pub says: Option<String>,
    /// Protocol, if it matters.
    pub protocol: Option<String>,
    /// Who stood in the way.
    pub holders: Vec<Holder>,
    /// Nobody did.
    pub no_holder: bool,
    /// Others may have, too.
    pub others: bool,
    /// Sockets that did not, by label.
    pub not_blamed: BTreeMap<String, u64>,
    /// Codes of the remedies, if they matter.
    pub fixes: Option<Vec<String>>,
    /// Words of the first one, if they matter.
    pub fix_says: Option<String>,
}

/// One that stood in the way, as it was at that moment.
#[derive(Debug)]
pub struct Holder {
    /// Its label, or what stands for it.
    pub name: String,
    /// Its inode.
    pub inode: Option<u64>,
    /// What the scenario says of it.
    pub expected: ExpectedHolder,
    /// Who had it open.
    pub owners: Owners,
    /// How long it had been in TIME_WAIT.
    pub time_wait_age: Option<RangeInclusive<Duration>>,
    /// Who gave it its port, if it matters.
    pub opened_by: Option<u32>,
    /// Who closed the connection first, if it matters.
    pub left_by: Option<u32>,
}

/// Plays all steps. The actors live on in `actors`.
///
/// After each refusal `told` is called with the pids and the number of refusals so far: it waits
/// until all are told, so that no step closes what portbind still has to look at.
///
/// # Errors
///
/// If a step does not end as the scenario says.
pub fn play(
    play: &Play,
    actors: &mut Actors,
    mut told: impl FnMut(&BTreeSet<u32>, usize),
) -> anyhow::Result<Vec<Refusal>> {
    let mut stage = Stage::default();
    for (index, step) in play.steps.iter().enumerate() {
        let name = format!("step {} ({} {})", index + 1, step.actor, verb(&step.action));
        let before = stage.refusals.len();
        stage.step(&name, step, actors).with_context(|| name.clone())?;
        if stage.refusals.len() > before {
            told(&actors.pids().collect(), stage.refusals.len());
        }
    }
    Ok(stage.refusals)
}

/// When an action was asked for and when it was answered: it happened in between. On a busy machine seconds
/// may lie between the two.
#[derive(Clone, Copy)]
struct Span {
    asked: Instant,
    answered: Instant,
}

impl Span {
    /// How much later this action happened than another: at least and at most.
    fn since(self, before: Span) -> RangeInclusive<Duration> {
        self.asked.saturating_duration_since(before.answered)
            ..=self.answered.saturating_duration_since(before.asked)
    }
}

/// What is known between steps.
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

    /// Notes the address of a socket.
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

    /// What must be said of the refusal of a step.
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

    /// A holder as it is now.
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

/// The word for an action in messages.
fn verb(action: &Action) -> String {
    let value = serde_json::to_value(action).ok();
    let verb = value.as_ref().and_then(|value| value.get("do")).and_then(serde_json::Value::as_str);
    verb.unwrap_or("action").to_owned()
}
