//! The account under load.

use anyhow::ensure;
use rustix::process::Signal;

use super::Setting;
use super::support::{Quarrel, events, exited};
use crate::actor::Protocol;
use crate::tracer::Tracer;

/// How many refusals, as fast as they come.
const REFUSALS: u32 = 100_000;

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
