//! Filters keep back what was not asked for, and count it.

use anyhow::ensure;
use rustix::process::Signal;

use super::Setting;
use super::support::{Quarrel, events, exited};
use crate::actor::Protocol;
use crate::tracer::Tracer;

/// `-p`.
pub(super) fn by_pid(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut wanted = Quarrel::new(Protocol::Tcp)?;
    let mut other = Quarrel::new(Protocol::Tcp)?;
    let pid = wanted.rename("binder", "wanted")?.to_string();
    filtered(setting, &["-p", &pid], &mut wanted, &mut other)
}

/// `-P`.
pub(super) fn by_port(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut wanted = Quarrel::new(Protocol::Tcp)?;
    let mut other = Quarrel::new(Protocol::Tcp)?;
    let port = wanted.port.to_string();
    filtered(setting, &["-P", &port], &mut wanted, &mut other)
}

/// `--comm`.
pub(super) fn by_comm(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut wanted = Quarrel::new(Protocol::Tcp)?;
    let mut other = Quarrel::new(Protocol::Tcp)?;
    wanted.rename("binder", "pb-wanted")?;
    other.rename("binder", "pb-other")?;
    filtered(setting, &["--comm", "pb-wanted"], &mut wanted, &mut other)
}

/// `--proto`.
pub(super) fn by_protocol(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut wanted = Quarrel::new(Protocol::Udp)?;
    let mut other = Quarrel::new(Protocol::Tcp)?;
    filtered(setting, &["--proto", "udp"], &mut wanted, &mut other)
}

/// One refusal that is asked for and one that is not.
fn filtered(
    setting: Setting<'_>,
    filter: &[&str],
    wanted: &mut Quarrel,
    other: &mut Quarrel,
) -> anyhow::Result<()> {
    let options = [&["-o", "json"], filter].concat();
    let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
    let kept = other.refuse("binder", 1)?;
    let shown = wanted.refuse("binder", 1)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let account = ended.account()?;
    account.check()?;
    let told = ended.stdout.join("\n");
    ensure!(events(&ended.stdout, shown)?.len() == 1, "what was asked for was not told once:\n{told}");
    ensure!(events(&ended.stdout, kept)?.is_empty(), "what was not asked for was told:\n{told}");
    ensure!(account.filtered >= 1, "what was kept back is not in the account: {account:?}");
    Ok(())
}
