//! Plays all scenarios under one portbind for each backend.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use crate::actors::Actors;
use crate::event::Event;
use crate::play::play;
use crate::ports::Ports;
use crate::report::Report;
use crate::scenario::{Needs, Scenario};
use crate::tracer::Tracer;
use crate::verify;

/// How long the events of one scenario may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Plays scenarios, and stores what must hold for all of them together.
#[derive(Default)]
struct BackendRun {
    ports: Ports,
    refusals: usize,
    pids: BTreeSet<u32>,
    complained: bool,
    /// Refusals that portbind did not report: the kernel may have missed them, which the end of the run shows.
    untold: Vec<String>,
}

/// Plays the scenarios, with or without portbind.
///
/// # Errors
///
/// If portbind cannot be started, or does not end properly.
pub fn run(
    scenarios: &[&Scenario],
    backend: Option<(&Path, &str)>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut run_of_backend = BackendRun::default();
    let tracer = match backend {
        Some((portbind, backend)) => Some(Tracer::trace(portbind, backend, &["-o", "json", "-e", "all"])?),
        None => None,
    };
    let prefix = backend.map_or("errnos", |(_, backend)| backend);
    for scenario in scenarios {
        if let Some(reason) = obstacle(&scenario.needs, backend.map(|(_, backend)| backend))? {
            report.skip(&format!("{prefix}: {}", scenario.name), &reason);
            continue;
        }
        for case in 0..scenario.cases() {
            let mut title = scenario.name.clone();
            let mut complaints = Vec::new();
            for _ in 0..scenario.repeat {
                match run_of_backend.once(scenario, case, tracer.as_ref(), &mut title) {
                    Ok(more) => complaints.extend(more),
                    Err(error) => complaints.push(format!("{error:#}")),
                }
                run_of_backend.ports.release();
            }
            let (untold, complaints): (Vec<String>, Vec<String>) =
                complaints.into_iter().partition(|complaint| complaint.contains(verify::NOT_TOLD));
            run_of_backend.untold.extend(untold);
            run_of_backend.complained |= !complaints.is_empty();
            report.note(&format!("{prefix}: {title}"), &complaints);
        }
    }
    let complaints = match tracer {
        Some(tracer) => run_of_backend.end(tracer).err().map(|error| format!("{error:#}")),
        None => None,
    };
    report.note(&format!("{prefix}: account of {} refusals", run_of_backend.refusals), complaints.as_slice());
    Ok(())
}

impl BackendRun {
    /// Plays one case once; returns the mismatches in portbind's output.
    fn once(
        &mut self,
        scenario: &Scenario,
        case: usize,
        tracer: Option<&Tracer>,
        title: &mut String,
    ) -> anyhow::Result<Vec<String>> {
        let script = scenario.play(case, || self.ports.take())?;
        title.clone_from(&script.title);
        let mut actors = Actors::default();
        let seen = tracer.map_or(0, |tracer| tracer.stdout.count());
        let mut missing = 0;
        let played = play(&script, &mut actors, |pids, refusals| {
            let Some(tracer) = tracer else { return };
            let reported =
                |lines: &[String]| events_since(lines, seen, pids).map_or(usize::MAX, |events| events.len());
            // The kernel may have missed one refusal. The test still waits for the other ones; counting them as
            // missing, too, would count them twice.
            if !tracer.stdout.wait(PATIENCE, |lines| reported(lines).saturating_add(missing) >= refusals) {
                missing = refusals.saturating_sub(reported(&tracer.stdout.so_far()));
            }
        });
        self.pids.extend(actors.pids());
        let refusals = played?;
        self.refusals += refusals.len();
        let Some(tracer) = tracer else {
            return Ok(Vec::new());
        };
        let pids = actors.pids().collect();
        match events_since(&tracer.stdout.so_far(), seen, &pids) {
            Ok(events) => Ok(verify::compare(&refusals, &events)),
            Err(complaint) => Ok(vec![complaint]),
        }
    }

    /// Ends portbind and checks its counts.
    fn end(&self, tracer: Tracer) -> anyhow::Result<()> {
        let ended = tracer.stop(Signal::INT)?;
        ensure!(
            ended.status.code() == Some(0),
            "portbind ended with {}:\n{}",
            ended.status,
            ended.stderr.join("\n")
        );
        let account = ended.account()?;
        account.check()?;
        let all = verify::events_of(&ended.stdout, |_| true).map_err(anyhow::Error::msg)?;
        ensure!(
            account.shown == u64::try_from(all.len())?,
            "{} events were reported, but the account is {account:?}",
            all.len()
        );
        // On a kernel that allows interrupting a program, calls on the same CPU during the interruption are missed
        // (7.3).
        let passed_over = ended.passed_over();
        ensure!(
            u64::try_from(self.untold.len())? <= passed_over,
            "{passed_over} calls passed over, but not reported were:\n{}",
            self.untold.join("\n")
        );
        let ours = all.iter().filter(|event| self.pids.contains(&event.process.pid)).count();
        // If a scenario failed, the number of its refusals is unknown; the failure is already reported.
        ensure!(
            self.complained || ours + self.untold.len() == self.refusals,
            "{} refusals happened, {ours} were reported: one was reported late, or twice",
            self.refusals
        );
        Ok(())
    }
}

/// The events of these processes from a line on.
fn events_since(lines: &[String], from: usize, pids: &BTreeSet<u32>) -> Result<Vec<Event>, String> {
    verify::events_of(lines.get(from..).unwrap_or_default(), |pid| pids.contains(&pid))
}

/// Why a scenario cannot be played on this machine.
pub(crate) fn obstacle(needs: &Needs, backend: Option<&str>) -> anyhow::Result<Option<String>> {
    if let Some(needed) = &needs.kernel
        && !kernel_is_at_least(needed)?
    {
        return Ok(Some(format!("the kernel is older than {needed}")));
    }
    if let Some(file) = &needs.file
        && !file.exists()
    {
        return Ok(Some(format!("the kernel has no {}", file.display())));
    }
    if let (Some(able), Some(backend)) = (&needs.backend, backend)
        && !able.iter().any(|able| able == backend)
    {
        return Ok(Some(format!("the backend {backend} cannot see it")));
    }
    Ok(None)
}

/// The running kernel is of this version or a later one.
pub(crate) fn kernel_is_at_least(needed: &str) -> anyhow::Result<bool> {
    let system = rustix::system::uname();
    let release = system.release().to_str().context("the kernel has an odd version")?;
    Ok(version(release) >= version(needed))
}

/// The first two numbers of a version.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
