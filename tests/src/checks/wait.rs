//! `portbind wait`: it ends when the port reaches the state, and no later than its timeout.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::ask::{LOCALHOST, answer, ask, done, list, listener, of, socket};
use super::setting::Setting;
use super::support::SOON;
use crate::actor::{Action, Protocol};
use crate::actors::Actors;
use crate::ports::Ports;
use crate::tracer::Tracer;

/// A running wait.
struct Waiting(Tracer);

impl Waiting {
    /// Starts a wait, and returns when it sleeps between two polls.
    fn begin(setting: Setting<'_>, words: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(setting.portbind);
        command.arg("wait").args(words).args(["-o", "json", "--timeout", "60"]);
        let tracer = Tracer::spawn(&mut command)?;
        let begun = Instant::now();
        // clock_nanosleep(2) of x86-64 is the first number in /proc/PID/syscall.
        while !std::fs::read_to_string(format!("/proc/{}/syscall", tracer.pid()))?.starts_with("230 ") {
            ensure!(begun.elapsed() < SOON, "it does not wait");
            std::thread::yield_now();
        }
        Ok(Self(tracer))
    }

    fn end(self) -> anyhow::Result<Value> {
        answer(&self.0.end()?, 0)
    }
}

/// Waits until a port is free, and until a process listens on it; checks the former and the new owner.
pub(super) fn both_ways(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let port = ports.take()?;
    let pid = done(&mut actors, "server", &Action::NewNetns)?.pid;
    let there = of(&actors, "server")?;
    let word = port.to_string();
    let words = |until| [word.as_str(), "--until", until, "--netns", &there];
    let is_of_server =
        |shown: &Value| list(shown, "holders").first().is_some_and(|one| one["processes"][0]["pid"] == pid);
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        let udp = (protocol == Protocol::Udp).then_some(["--proto", "udp"]);
        let words = |until| words(until).into_iter().chain(udp.into_iter().flatten()).collect::<Vec<_>>();
        let waiting = Waiting::begin(setting, &words("listening"))?;
        let serve = socket("old", protocol, &[], (LOCALHOST, port), protocol == Protocol::Tcp);
        done(&mut actors, "server", &serve)?;
        let shown = waiting.end()?;
        ensure!(shown["reached"] == true && is_of_server(&shown), "{shown}");
        let waiting = Waiting::begin(setting, &words("free"))?;
        done(&mut actors, "server", &Action::Close { socket: "old".to_owned() })?;
        let shown = waiting.end()?;
        ensure!(shown["reached"] == true && is_of_server(&shown), "{shown}");
        ensure!(shown["waited_ms"].as_f64() > Some(0.0), "{shown}");
    }
    // Neither a socket that is only bound, nor a listener on another address, can be connected to.
    let words = [&words("listening")[..], &["--address", "127.0.0.1"]].concat();
    done(&mut actors, "server", &socket("bound", Protocol::Tcp, &[], (LOCALHOST, port), false))?;
    let waiting = Waiting::begin(setting, &words)?;
    done(&mut actors, "server", &Action::Close { socket: "bound".to_owned() })?;
    done(&mut actors, "server", &socket("far", Protocol::Tcp, &[], ("127.0.0.2".parse()?, port), true))?;
    done(&mut actors, "server", &listener("near", port))?;
    let shown = waiting.end()?;
    let first = list(&shown, "holders").first().context("nobody listens")?;
    ensure!(list(&shown, "holders").len() == 1 && first["address"] == "127.0.0.1", "{shown}");
    Ok(())
}

/// After the timeout, and not much later, the answer is no.
pub(super) fn timeouts(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let (held, empty) = (ports.take()?, ports.take()?);
    done(&mut actors, "server", &listener("old", held))?;
    for (port, until, holders) in [(held, "free", 1), (empty, "listening", 0)] {
        let begun = Instant::now();
        let shown = ask(setting, &["wait", &port.to_string(), "--until", until, "--timeout", "0.2"], 1)?;
        let took = begun.elapsed();
        ensure!((Duration::from_millis(200)..SOON).contains(&took), "it took {took:?}");
        ensure!(shown["reached"] == false && list(&shown, "holders").len() == holders, "{shown}");
    }
    ask(setting, &["wait", &held.to_string(), "--until", "listening"], 0)?;
    ask(setting, &["wait", &empty.to_string(), "--until", "free"], 0)?;
    Ok(())
}
