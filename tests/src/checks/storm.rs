//! The counts under load.

use std::cell::Cell;

use anyhow::ensure;
use portbind::diagnosis::rule::Generation;
use rustix::process::Signal;

use super::setting::Setting;
use super::support::{ContestedPort, SOON, events, exited};
use crate::actor::Protocol;
use crate::storms::{Storm, Stormer};
use crate::tracer::{Ended, Tracer};

/// Refusals of a storm that are shown per second, before the rest is counted.
const BURST: u64 = 16;

/// Number of refusals at the maximum rate.
const REFUSALS: u32 = 20_000;

/// Number of pauses in the storm.
const ROUNDS: u32 = 50;

/// Every refusal of a storm is counted in the summary, including lost ones.
pub(super) fn account_is_exact(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let pid = contested.refuse("stormer", REFUSALS)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let account = ended.account()?;
    let parts = account.shown + account.coalesced + account.filtered + account.lost;
    // On a kernel that allows interrupting a program, calls on the same CPU during the interruption are missed:
    // portbind cannot count refusals that it never saw, but must report that there may be some.
    let passed_over = ended.passed_over();
    ensure!(
        account.refused + passed_over >= u64::from(REFUSALS),
        "{REFUSALS} refusals, but {passed_over} passed over and the account is {account:?}"
    );
    ensure!(account.refused == parts, "the parts are not the whole: {account:?}");
    let reported = u64::try_from(events(&ended.stdout, pid)?.len())?;
    ensure!(reported > 0, "not one of {REFUSALS} refusals was reported");
    ensure!(reported <= account.shown, "{reported} reported, but the account is {account:?}");
    Ok(())
}

/// Text counts repeated refusals: none is lost, and the lines add up to all of them.
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
    ensure!(counted == account.coalesced, "{counted} are reported to be more, but {account:?}");
    Ok(())
}

/// Waits until this many refusals of a process are shown: the end of a run does not wait for refusals that are not yet
/// described.
pub(super) fn await_shown(tracer: &Tracer, pid: u32, count: u32) {
    // Each line is read only once, because there are many.
    let (seen, shown) = (Cell::new(0), Cell::new(0));
    let process = format!("\"process\":{{\"pid\":{pid},");
    let is_its = |line: &&String| line.contains("\"kind\":\"refusal\"") && line.contains(&process);
    tracer.stdout.wait(SOON, |lines| {
        let new = lines.iter().skip(seen.replace(lines.len())).filter(is_its).count();
        shown.set(shown.get() + new);
        shown.get() >= count as usize
    });
}

/// Another process is refused occasionally during a storm: each of its refusals is reported.
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
    let reported = u32::try_from(events(&ended.stdout, pid)?.len())?;
    // Refusals that the kernel missed cannot be reported.
    let missed = u64::from(ROUNDS.saturating_sub(reported));
    ensure!(missed <= ended.passed_over(), "{reported} of {ROUNDS} refusals of a bystander were reported");
    Ok(())
}

/// A user who is not involved in the tests.
const STRANGER: u32 = 47_114;

/// What JSON contains about the refusals of processes, in addition to the summary.
#[derive(Debug, Default)]
struct Said {
    /// Lines of refusals.
    shown: u64,
    /// The sum of the counts in repeat lines.
    repeated: u64,
    /// Lines of refusals without all their holders.
    without_holders: u64,
    /// Repeat lines without times.
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

    /// Fails unless all `count` refusals are reported, except for those that the kernel missed.
    fn is_all(&self, ended: &Ended, count: u64) -> anyhow::Result<()> {
        let account = ended.account()?;
        let missing = count.saturating_sub(self.shown + self.repeated);
        ensure!(account.lost == 0 && missing <= ended.passed_over(), "of {count}: {self:?}, {account:?}");
        ensure!(self.shown + self.repeated <= count, "more than {count}: {self:?}, {account:?}");
        ensure!(self.without_holders == 0 && self.without_times == 0, "not whole: {self:?}");
        Ok(())
    }
}

/// JSON shows a burst of one process as far as there is room, and counts the rest: none is lost.
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

/// The same for many processes at once, each with a separate port.
pub(super) fn bursts_at_once(setting: Setting<'_>) -> anyhow::Result<()> {
    const PROCESSES: u32 = 64;
    const EACH: u32 = 1500;
    // Before 6.14, the kernel supports only a few simultaneous calls with a return probe, and does not report which
    // calls it missed.
    if setting.backend == "kprobe" && portbind::host::generation() < Generation::new(6, 14) {
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

/// Another user's thousands of processes, each in turn of another uid, are refused on different addresses while
/// portbind reads nothing; refusals of other processes are still shown.
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

/// One process has more kinds of refusals than can be counted separately, while portbind reads nothing: the rest is
/// counted per process.
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
