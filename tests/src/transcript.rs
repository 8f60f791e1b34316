//! Transcripts for the pages of the causes: portbind's output for the first scenario with each cause.
//!
//! Values that differ between runs or machines are replaced: pids, times, ports and ancestors.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, ensure};
use portbind::event::Code;
use rustix::process::Signal;

use crate::actors::Actors;
use crate::checks;
use crate::play::play;
use crate::ports::Ports;
use crate::runner::obstacle;
use crate::scenario::{Play, Scenario};
use crate::tracer::Tracer;

pub(crate) mod normal;

/// The backend that works on every supported kernel.
const BACKEND: &str = "tracepoint";

/// The transcript of a cause; `None` if no scenario on this machine has the cause.
///
/// # Errors
///
/// If a scenario cannot be played, or portbind does not report the cause.
pub fn of(code: Code, portbind: &Path, scenarios: &[Scenario]) -> anyhow::Result<Option<String>> {
    let mut ports = Ports::new();
    let mut actors = Actors::default();
    let Some(script) = script(code, scenarios, &mut ports)? else { return Ok(None) };
    let tracer = Tracer::trace(portbind, BACKEND, &["-o", "text", "--color", "never", "-e", "all"])?;
    play(&script, &mut actors, |pids, _| wait(&tracer, pids, code))?;
    let pids = actors.pids().collect();
    let ended = tracer.stop(Signal::INT)?;
    ensure!(ended.status.success(), "portbind ended with {}:\n{}", ended.status, ended.stderr.join("\n"));
    let block = shown(&ended.stdout, &pids, code).with_context(|| format!("{code} is not reported"))?;
    let folder = actors.folder().display().to_string();
    // In each scenario, the first actor opens the socket that is in the way.
    let opener = script.steps.first().map_or("", |step| step.actor.as_str());
    let runner = format!("({})", std::process::id());
    let is_of_runner = |line: &&String| line.starts_with("  relation") && line.contains(&runner);
    let lines = block.iter().filter(|line| !is_of_runner(line));
    let block: Vec<String> =
        lines.map(|line| with_actor_names(&line.replace(&folder, "/run"), &actors, opener)).collect();
    Ok(Some(normal::normal(&block)))
}

/// The line with the actors' names in place of the programs that they run, which are all this one or copies of it.
fn with_actor_names(line: &str, actors: &Actors, opener: &str) -> String {
    let own = "portbind-tests";
    let mut text = line.to_owned();
    for (name, pid) in actors.names() {
        let copy = format!("{own}-{}-stranger-{name}", std::process::id());
        for program in [own, &copy] {
            text = text.replace(&format!("{program} ({pid})"), &format!("{name} ({pid})"));
            text = text.replace(&format!("{program}: kill {pid}"), &format!("{name}: kill {pid}"));
            if text.ends_with(&format!(": kill {pid}")) {
                text = text.replace(&format!("stop {program}, "), &format!("stop {name}, "));
            }
        }
    }
    // A remedy names the program that opened the socket, without its pid.
    text.replace(&format!("have {own} open"), &format!("have {opener} open"))
}

/// The first case with this cause, of the scenario `cause CODE` or else of the first scenario that has one.
fn script(code: Code, scenarios: &[Scenario], ports: &mut Ports) -> anyhow::Result<Option<Play>> {
    let name = format!("cause {code}");
    let (named, others): (Vec<_>, Vec<_>) = scenarios.iter().partition(|scenario| scenario.name == name);
    for scenario in named.into_iter().chain(others) {
        if obstacle(&scenario.needs, Some(BACKEND))?.is_some() {
            continue;
        }
        for case in 0..scenario.cases() {
            let script = scenario.play(case, || ports.take())?;
            if script.causes().any(|cause| cause == code.as_str()) {
                return Ok(Some(script));
            }
        }
    }
    Ok(None)
}

/// Waits until the cause is reported for one of these processes; the final check shows whether it was.
fn wait(tracer: &Tracer, pids: &BTreeSet<u32>, code: Code) {
    tracer.stdout.wait(checks::SOON, |lines| {
        // The lines of one event arrive together, and the next event's headline is not needed.
        shown(lines, pids, code).is_some()
    });
}

/// The lines of the first event of these processes with this cause.
fn shown<'a>(lines: &'a [String], pids: &BTreeSet<u32>, code: Code) -> Option<&'a [String]> {
    let tag = format!("[{code}");
    lines.split(String::is_empty).find(|block| {
        let ours = block.first().and_then(|line| normal::caller(line)).is_some_and(|pid| pids.contains(&pid));
        ours && block.iter().any(|line| line.contains(&tag))
    })
}
