//! Applies each printed remedy: the refused bind then succeeds.
//!
//! Every case of every scenario that lists its remedies is played once per remedy. For `wait` only the printed time is
//! checked: TIME_WAIT lasts a minute, and no setting shortens it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::setting::Setting;
use super::support::{SOON, events, exited};
use crate::actor::{Action, Answer, Family, Protocol, SocketOption};
use crate::actors::Actors;
use crate::event::{Event, Fix};
use crate::play::play;
use crate::ports::Ports;
use crate::runner::obstacle;
use crate::scenario::{Play, Step};
use crate::tracer::Tracer;

/// How long a process may take to end after its signal.
const TO_END: Duration = Duration::from_secs(10);

/// Plays and applies all remedies under one portbind.
pub(super) fn work(setting: Setting<'_>) -> anyhow::Result<()> {
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let mut ports = Ports::new();
    let mut applied = 0;
    for scenario in setting.scenarios {
        if obstacle(&scenario.needs, Some(setting.backend))?.is_some() {
            continue;
        }
        for case in 0..scenario.cases() {
            let codes = remedies(&scenario.play(case, || ports.take())?);
            for code in codes {
                let script = scenario.play(case, || ports.take())?;
                let title = format!("{}: {code}", script.title);
                apply(&tracer, script, &code).context(title)?;
                applied += 1;
                ports.release();
            }
        }
    }
    exited(&tracer.stop(Signal::INT)?, 0)?;
    ensure!(applied > 0, "no scenario names a remedy");
    Ok(())
}

/// The codes of the remedies expected by the last step.
fn remedies(script: &Play) -> Vec<String> {
    let expected = script.steps.last().and_then(|step| step.event.as_ref());
    expected.and_then(|expected| expected.fixes.clone()).unwrap_or_default()
}

/// Plays a scenario and applies one of its remedies.
fn apply(tracer: &Tracer, script: Play, code: &str) -> anyhow::Result<()> {
    match code {
        "reuse-address-before" => again(script, |step, refused| {
            if step.actor != refused {
                add_option(step, &SocketOption::ReuseAddress);
            }
        }),
        "reuse-address-both" => again(script, |step, _| add_option(step, &SocketOption::ReuseAddress)),
        "reuse-port-both" => again(script, |step, _| add_option(step, &SocketOption::ReusePort)),
        "close-on-exec" => again(script, |step, _| {
            if let Action::Inherit { close_on_exec, .. } = &mut step.action {
                *close_on_exec = true;
            }
        }),
        "keep-socket" => keep(script),
        _ => Refused::play(tracer, script)?.apply(code),
    }
}

/// Plays a changed scenario from the start; its last step must not be refused.
fn again(mut script: Play, change: impl Fn(&mut Step, &str)) -> anyhow::Result<()> {
    let last = script.steps.last_mut().context("no step")?;
    (last.expect, last.event) = (None, None);
    let refused = last.actor.clone();
    for step in &mut script.steps {
        change(step, &refused);
    }
    play(&script, &mut Actors::default(), |_, _| {})?;
    Ok(())
}

/// Sets an option on the sockets opened by a step.
fn add_option(step: &mut Step, option: &SocketOption) {
    if let Action::Socket { options, .. } = &mut step.action
        && !options.contains(option)
    {
        options.push(option.clone());
    }
}

/// Plays a scenario without closing a socket: the later bind of the socket's port is refused.
fn keep(mut script: Play) -> anyhow::Result<()> {
    let close = |step: &Step| matches!(step.action, Action::Close { .. });
    let closed = script.steps.iter().position(close).context("nothing is closed")?;
    script.steps.remove(closed);
    let owner = script.steps.last().context("no step")?.actor.clone();
    let takes = |step: &Step| step.actor != owner && matches!(step.action, Action::Socket { .. });
    let taken = script.steps.iter().position(takes).context("nobody takes it")?;
    script.steps.truncate(taken + 1);
    if let Some(last) = script.steps.last_mut() {
        last.expect = Some("EADDRINUSE".to_owned());
    }
    play(&script, &mut Actors::default(), |_, _| {})?;
    Ok(())
}

/// A refused call, with all sockets still open.
struct Refused {
    actors: Actors,
    script: Play,
    last: Step,
    event: Event,
}

impl Refused {
    /// Plays a scenario to its end.
    fn play(tracer: &Tracer, script: Play) -> anyhow::Result<Self> {
        let mut actors = Actors::default();
        let last = script.steps.last().context("no step")?.clone();
        play(&script, &mut actors, |_, _| {})?;
        let pid = actors.pid(&last.actor).context("no actor")?;
        let shown = |lines: &[String]| events(lines, pid).is_ok_and(|events| !events.is_empty());
        ensure!(tracer.stdout.wait(SOON, shown), "it is not shown");
        let event = events(&tracer.stdout.so_far(), pid)?.pop().context("it is not shown")?;
        Ok(Self { actors, script, last, event })
    }

    fn apply(mut self, code: &str) -> anyhow::Result<()> {
        let fix = self.event.fixes.iter().find(|fix| fix.code == code).cloned();
        let fix = fix.with_context(|| format!("it is not shown\n    {}", self.event.line))?;
        match code {
            "reuse-address" => self.with_option(SocketOption::ReuseAddress),
            "reuse-port" => self.with_option(SocketOption::ReusePort),
            "v6-only" => self.with_option(SocketOption::V6Only),
            "own-address" => self.at_own_address(),
            "other-port" => self.at_other_port(&fix),
            "same-user" => self.as_same_user(),
            "close-first" => {
                self.done(&Action::Close { socket: "old".to_owned() })?;
                self.repeat()
            }
            "stop-holder" => self.without_holders(&fix),
            "widen-range" => {
                self.done(&setting_of(&fix)?)?;
                self.repeat()
            }
            "reserve-port" => self.with_reserved_port(&fix),
            "wait" => waits_a_minute(&fix),
            _ => bail!("nobody knows how to apply it"),
        }
    }

    /// Makes the caller perform an action that must succeed.
    fn done(&mut self, action: &Action) -> anyhow::Result<Answer> {
        let answer = self.actors.perform(&self.last.actor, action)?;
        match &answer.error {
            None => Ok(answer),
            Some(error) => bail!("{action:?}: {error}"),
        }
    }

    /// Makes the same call again.
    fn repeat(&mut self) -> anyhow::Result<()> {
        self.done(&self.last.action.clone()).map(drop)
    }

    fn with_option(&mut self, option: SocketOption) -> anyhow::Result<()> {
        self.done(&Action::Option { socket: self.label()?, option })?;
        self.repeat()
    }

    /// The label of the refused socket.
    fn label(&self) -> anyhow::Result<String> {
        match &self.last.action {
            Action::Bind { socket, .. } | Action::Listen { socket, .. } => Ok(socket.clone()),
            other => bail!("{other:?} is neither bind nor listen"),
        }
    }

    /// The requested address and port.
    fn asked(&self) -> anyhow::Result<(IpAddr, u16)> {
        let socket = &self.event.socket;
        socket.address.zip(socket.port).context("a refusal without a port")
    }

    /// Opens the refused socket again, on an address and port.
    fn renewed(&mut self, at: (IpAddr, u16)) -> anyhow::Result<()> {
        let label = self.label()?;
        let opened = self.script.steps.iter().find_map(|step| match &step.action {
            Action::Socket { new, family, protocol, options, .. } if *new == label => {
                Some((*family, *protocol, options.clone()))
            }
            _ => None,
        });
        let (family, protocol, options) = opened.context("the refused socket was never opened")?;
        let listen = matches!(self.last.action, Action::Listen { .. });
        let (address, port) = (Some(at.0), Some(at.1));
        self.done(&Action::Socket {
            new: "again".to_owned(),
            family,
            protocol,
            options,
            address,
            port,
            listen,
        })
        .map(drop)
    }

    fn at_own_address(&mut self) -> anyhow::Result<()> {
        let (address, port) = self.asked()?;
        let own = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        self.renewed((own, port))
    }

    fn at_other_port(&mut self, fix: &Fix) -> anyhow::Result<()> {
        let number = |word: &str| word.parse::<u16>().ok();
        let port = fix.text.split(' ').find_map(number).with_context(|| format!("no port: {}", fix.text))?;
        self.renewed((self.asked()?.0, port))
    }

    fn as_same_user(&mut self) -> anyhow::Result<()> {
        let uid = self.event.holders.first().and_then(|holder| holder.uid).context("no holder's user")?;
        self.done(&Action::Setuid { uid })?;
        self.renewed(self.asked()?)
    }

    /// Does what `kill` does, which a test machine lacks, and binds as soon as possible.
    fn without_holders(&mut self, fix: &Fix) -> anyhow::Result<()> {
        let command = fix.command.as_deref().context("no command")?;
        let pids = command.strip_prefix("kill ").with_context(|| format!("not understood: {command}"))?;
        for pid in pids.split(' ') {
            let pid = Pid::from_raw(pid.parse()?).context("no pid")?;
            kill_process(pid, Signal::TERM)?;
        }
        let begun = Instant::now();
        loop {
            match self.repeat() {
                Err(_) if begun.elapsed() < TO_END => std::thread::sleep(Duration::from_millis(5)),
                outcome => return outcome,
            }
        }
    }

    /// In a namespace where the kernel can choose only this port, it chooses it; with the setting, it chooses none.
    fn with_reserved_port(&mut self, fix: &Fix) -> anyhow::Result<()> {
        let (_, port) = self.asked()?;
        self.done(&Action::NewNetns)?;
        let name = "ipv4/ip_local_port_range".to_owned();
        self.done(&Action::Sysctl { name, value: format!("{port} {port}") })?;
        let chosen = Action::Socket {
            new: "chosen".to_owned(),
            family: Family::Inet,
            protocol: Protocol::Tcp,
            options: Vec::new(),
            address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            port: Some(0),
            listen: false,
        };
        let answer = self.done(&chosen)?;
        ensure!(answer.port == Some(port), "the kernel chose {:?}", answer.port);
        self.done(&Action::Close { socket: "chosen".to_owned() })?;
        self.done(&setting_of(fix)?)?;
        let answer = self.actors.perform(&self.last.actor, &chosen)?;
        ensure!(answer.error.as_deref() == Some("EADDRINUSE"), "the kernel still chose {:?}", answer.port);
        self.renewed((IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }
}

/// Does what `sysctl` does, which a test machine lacks.
fn setting_of(fix: &Fix) -> anyhow::Result<Action> {
    let command = fix.command.as_deref().context("no command")?;
    let setting = command.strip_prefix("sysctl -w net.").and_then(|setting| setting.split_once('='));
    let (name, value) = setting.with_context(|| format!("not understood: {command}"))?;
    Ok(Action::Sysctl { name: name.replace('.', "/"), value: value.trim_matches('\'').to_owned() })
}

/// The printed time is the rest of a minute.
fn waits_a_minute(fix: &Fix) -> anyhow::Result<()> {
    let seconds = fix.text.rsplit(' ').next().and_then(|word| word.strip_suffix('s'));
    let seconds: f64 = seconds.with_context(|| format!("no time: {}", fix.text))?.parse()?;
    ensure!((50.0..=60.0).contains(&seconds), "{}", fix.text);
    Ok(())
}
