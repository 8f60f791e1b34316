//! The account under load.

use anyhow::ensure;
use rustix::process::Signal;

use super::Setting;
use super::support::{Quarrel, events, exited};
use crate::actor::Protocol;
use crate::tracer::Tracer;

/// How many are told of a storm, before the rest of a second is counted.
const BURST: u64 = 8;

/// How many refusals, as fast as they come.
const REFUSALS: u32 = 100_000;

/// How often the storm holds its breath.
const ROUNDS: u32 = 50;

/// Every refusal of a storm is in the account, lost ones included.
pub(super) fn account_is_exact(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut quarrel = Quarrel::new(Protocol::Tcp)?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let pid = quarrel.refuse("stormer", REFUSALS)?;
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
    let mut quarrel = Quarrel::new(Protocol::Tcp)?;
    let tracer =
        Tracer::trace(setting.portbind, setting.backend, &["--color", "never", "--comm", "stormer"])?;
    quarrel.refuse("stormer", REFUSALS)?;
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

/// Another process is refused now and then, in the middle of a storm: each of its refusals is told.
pub(super) fn nobody_is_hidden(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut stormer, mut other) = (Quarrel::new(Protocol::Tcp)?, Quarrel::new(Protocol::Tcp)?);
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let mut pid = 0;
    for _ in 0..ROUNDS {
        stormer.refuse("stormer", REFUSALS / ROUNDS)?;
        pid = other.refuse("bystander", 1)?;
    }
    let ended = tracer.stop(Signal::INT)?;
    let told = u32::try_from(events(&ended.stdout, pid)?.len())?;
    // What the kernel passed over it cannot tell.
    let missed = u64::from(ROUNDS.saturating_sub(told));
    ensure!(missed <= ended.passed_over(), "{told} of {ROUNDS} refusals of a bystander were told");
    Ok(())
}
