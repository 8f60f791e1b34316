//! The account under load.

use std::cell::Cell;

use anyhow::ensure;
use rustix::process::Signal;

use super::setting::Setting;
use super::support::{ContestedPort, SOON, events, exited};
use crate::actor::Protocol;
use crate::storms::{Storm, Stormer};
use crate::tracer::{Ended, Tracer};

/// How many are told of a storm, before the rest of a second is counted.
const BURST: u64 = 16;

/// How many refusals, as fast as they come.
const REFUSALS: u32 = 20_000;

/// How often the storm holds its breath.
const ROUNDS: u32 = 50;

/// Every refusal of a storm is in the account, lost ones included.
pub(super) fn account_is_exact(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let pid = contested.refuse("stormer", REFUSALS)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let account = ended.account()?;
    let parts = account.shown + account.coalesced + account.filtered + account.lost;
    // A kernel that lets a program be interrupted passes over what comes on that CPU meanwhile: portbind
    // cannot count refusals that it never saw, but it has to say that there may be some.
    let passed_over = ended.passed_over();
    ensure!(
        account.refused + passed_over >= u64::from(REFUSALS),
        "{REFUSALS} refusals, but {passed_over} passed over and the account is {account:?}"
    );
    ensure!(account.refused == parts, "the parts are not the whole: {account:?}");
    let told = u64::try_from(events(&ended.stdout, pid)?.len())?;
    ensure!(told > 0, "not one of {REFUSALS} refusals was told");
    ensure!(told <= account.shown, "{told} told, but the account is {account:?}");
    Ok(())
}

/// In text, what is refused over and over is counted: nothing is lost, and the lines tell all of it.
pub(super) fn repeats_are_counted(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let tracer =
        Tracer::trace(setting.portbind, setting.backend, &["--color", "never", "--comm", "stormer"])?;
    contested.refuse("stormer", REFUSALS)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let account = ended.account()?;
    ensure!(account.refused == account.shown + account.coalesced + account.filtered, "lost: {account:?}");
    ensure!(account.coalesced > account.shown && account.shown >= BURST, "not counted: {account:?}");
    let shown = ended.stdout.iter().filter(|line| line.contains("→  EADDRINUSE")).count();
    let counts = ended.stdout.iter().filter_map(|line| {
        let (count, _) = line.split_once(" times more  ")?;
        count.rsplit(' ').next()?.parse::<u64>().ok()
    });
    let once = ended.stdout.iter().filter(|line| line.contains("  once more  ")).count();
    let counted = counts.sum::<u64>() + u64::try_from(once)?;
    ensure!(u64::try_from(shown)? == account.shown, "{shown} lines, but {account:?}");
    ensure!(counted == account.coalesced, "{counted} are told to be more, but {account:?}");
    Ok(())
}

/// Waits until so many refusals of a process are shown: the end of a run does not wait for what is not described yet.
pub(super) fn await_shown(tracer: &Tracer, pid: u32, count: u32) {
    // Each line is looked at once: there are many.
    let (seen, shown) = (Cell::new(0), Cell::new(0));
    let process = format!("\"process\":{{\"pid\":{pid},");
    let is_its = |line: &&String| line.contains("\"kind\":\"refusal\"") && line.contains(&process);
    tracer.stdout.wait(SOON, |lines| {
        let new = lines.iter().skip(seen.replace(lines.len())).filter(is_its).count();
        shown.set(shown.get() + new);
        shown.get() >= count as usize
    });
}

/// Another process is refused now and then, in the middle of a storm: each of its refusals is told.
pub(super) fn nobody_is_hidden(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut stormer, mut other) = (ContestedPort::new(Protocol::Tcp)?, ContestedPort::new(Protocol::Tcp)?);
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let mut pid = 0;
    for _ in 0..ROUNDS {
        stormer.refuse("stormer", REFUSALS / ROUNDS)?;
        pid = other.refuse("bystander", 1)?;
    }
    await_shown(&tracer, pid, ROUNDS);
    let ended = tracer.stop(Signal::INT)?;
    let told = u32::try_from(events(&ended.stdout, pid)?.len())?;
    // What the kernel passed over it cannot tell.
    let missed = u64::from(ROUNDS.saturating_sub(told));
    ensure!(missed <= ended.passed_over(), "{told} of {ROUNDS} refusals of a bystander were told");
    Ok(())
}

/// A user who has nothing to do with the tests.
const STRANGER: u32 = 47_114;

/// What JSON says of the refusals of processes, besides the account.
#[derive(Debug, Default)]
struct Said {
    /// Lines of refusals.
    shown: u64,
    /// What lines of repeats count.
    repeated: u64,
    /// Lines of refusals without all their holders.
    without_holders: u64,
    /// Lines of repeats that do not say when.
    without_times: u64,
}

impl Said {
    fn of(ended: &Ended, pids: &[u32]) -> anyhow::Result<Self> {
        let mut said = Self::default();
        for line in &ended.stdout {
            let line: serde_json::Value = serde_json::from_str(line)?;
            let pid = line["process"]["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
            if !pid.is_some_and(|pid| pids.contains(&pid)) {
                continue;
            }
            if line["kind"] == "refusal" {
                said.shown += 1;
                let is_whole = line["holders_truncated"] == false
                    && line["holders"].as_array().is_some_and(|holders| holders.len() == 1);
                said.without_holders += u64::from(!is_whole);
            } else if line["kind"] == "repeat" {
                said.repeated += line["count"].as_u64().unwrap_or(0);
                let (first, last) = (line["first"].as_str(), line["last"].as_str());
                said.without_times += u64::from(first.is_none() || first > last);
            }
        }
        Ok(said)
    }

    /// Complains unless all of so many refusals are there, but for those that the kernel passed over.
    fn is_all(&self, ended: &Ended, count: u64) -> anyhow::Result<()> {
        let account = ended.account()?;
        let missing = count.saturating_sub(self.shown + self.repeated);
        ensure!(account.lost == 0 && missing <= ended.passed_over(), "of {count}: {self:?}, {account:?}");
        ensure!(self.shown + self.repeated <= count, "more than {count}: {self:?}, {account:?}");
        ensure!(self.without_holders == 0 && self.without_times == 0, "not whole: {self:?}");
        Ok(())
    }
}

/// In JSON, a burst of one process is shown as far as there is room, and the rest is counted: nothing is lost.
pub(super) fn bursts_are_counted(setting: Setting<'_>) -> anyhow::Result<()> {
    for count in [2_000, 20_000] {
        let mut contested = ContestedPort::new(Protocol::Tcp)?;
        let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
        let pid = contested.refuse("burster", count)?;
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        Said::of(&ended, &[pid])?.is_all(&ended, u64::from(count))?;
    }
    Ok(())
}

/// The same of many processes at once, each with a port of its own.
pub(super) fn bursts_at_once(setting: Setting<'_>) -> anyhow::Result<()> {
    const PROCESSES: u32 = 64;
    const EACH: u32 = 1500;
    // The kernel has room for few calls in flight whose return is probed, and does not say which ones it passed over.
    if setting.backend == "kprobe" {
        return Ok(());
    }
    let new = |_| Stormer::new(Storm::Own { count: EACH }, 0);
    let mut stormers = (0..PROCESSES).map(new).collect::<anyhow::Result<Vec<_>>>()?;
    let pids: Vec<_> = stormers.iter().map(Stormer::pid).collect();
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    stormers.iter_mut().for_each(Stormer::start);
    stormers.into_iter().try_for_each(Stormer::end)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    Said::of(&ended, &pids)?.is_all(&ended, u64::from(PROCESSES * EACH))
}

/// Another user has thousands of processes refused, each of another user of its own, at another address, while portbind
/// reads nothing; what is refused to others is shown all the same.
pub(super) fn nobody_is_crowded_out(setting: Setting<'_>) -> anyhow::Result<()> {
    const PROCESSES: u32 = 3000;
    const INNOCENT: u32 = 100;
    let stormer = Stormer::new(Storm::Wild { processes: PROCESSES }, STRANGER)?;
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    contested.rename("innocent", "innocent")?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    tracer.pause()?;
    stormer.end()?;
    let pid = contested.refuse("innocent", INNOCENT)?;
    tracer.signal(Signal::CONT)?;
    await_shown(&tracer, pid, INNOCENT);
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let said = Said::of(&ended, &[pid])?;
    let missing = u64::from(INNOCENT).saturating_sub(said.shown);
    ensure!(missing <= ended.passed_over(), "of {INNOCENT} of an innocent: {said:?}, {:?}", ended.account()?);
    Ok(())
}

/// More kinds of refusals of one process than can be counted apart, while portbind reads nothing: the process of
/// the others is counted.
pub(super) fn many_kinds(setting: Setting<'_>) -> anyhow::Result<()> {
    let stormer = Stormer::new(Storm::Many { count: REFUSALS }, STRANGER)?;
    let pid = stormer.pid();
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    tracer.pause()?;
    stormer.end()?;
    tracer.signal(Signal::CONT)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    Said::of(&ended, &[pid])?.is_all(&ended, u64::from(REFUSALS))
}
