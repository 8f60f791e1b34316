//! Processes that receive a holder's socket after the refusal.

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use super::setting::Setting;
use super::support::{ContestedPort, ENOUGH, PATIENCE, events, exited};
use crate::actor::{Action, Protocol};
use crate::tracer::Tracer;

/// A child that was forked after the refusal already has the socket open when portbind searches for owners, but it did
/// not hold the port at the refusal. At the next refusal it does.
pub(super) fn are_distinct(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let holder = contested.actors.pid("holder").context("no holder")?;
    let [early, late] = ["early", "late"].map(|name| contested.rename(name, name));
    let (early, late) = (early?, late?);
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    tracer.pause()?;
    contested.refuse("early", ENOUGH)?;
    let (socket, child) = ("old".to_owned(), "copy".to_owned());
    contested.actors.perform("holder", &Action::Inherit { socket, child, close_on_exec: false })?;
    let copy = contested.actors.pid("copy").context("no copy")?;
    contested.refuse("late", ENOUGH)?;
    tracer.signal(Signal::CONT)?;
    let is_shown = |lines: &[String]| [early, late].iter().all(|&pid| !descriptors(lines, pid).is_empty());
    ensure!(tracer.stdout.wait(PATIENCE, is_shown), "not shown:\n{}", tracer.stdout.so_far().join("\n"));
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let both = vec![holder.min(copy), holder.max(copy)];
    for (pid, owners) in [(early, vec![holder]), (late, both)] {
        for found in descriptors(&ended.stdout, pid) {
            ensure!(found == owners, "{found:?} have it open for {pid}, not {owners:?}");
        }
    }
    Ok(())
}

/// Descriptors of the first holder, per refusal of this process.
fn descriptors(lines: &[String], pid: u32) -> Vec<Vec<u32>> {
    let events = events(lines, pid).unwrap_or_default();
    let holders = events.iter().filter_map(|event| event.holders.first());
    let mut owners: Vec<Vec<u32>> =
        holders.map(|holder| holder.processes.iter().map(|owner| owner.pid).collect()).collect();
    owners.iter_mut().for_each(|pids| pids.sort_unstable());
    owners
}
