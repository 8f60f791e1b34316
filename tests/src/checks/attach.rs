//! Programs are attached and detached repeatedly, while the traced calls continue.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use anyhow::{Context as _, ensure};
use rustix::net::{AddressFamily, SocketType, bind, socket};
use rustix::process::Signal;

use super::setting::Setting;
use super::support::{ContestedPort, exited};
use crate::actor::Protocol;
use crate::sys::bpf::program_ids;
use crate::tracer::Tracer;

/// Number of rounds; for a manual run, `--times 50` makes 200 rounds.
const ROUNDS: u32 = 4;

/// Refusals of a round.
const REFUSALS: u32 = 20;

/// In each round a trace starts and ends while a thread binds sockets continuously; in every second round, two traces
/// overlap. Each trace accounts for the refusals in its time, and no program stays loaded.
pub(super) fn again_and_again(setting: Setting<'_>) -> anyhow::Result<()> {
    let before = program_ids()?;
    let stop = AtomicBool::new(false);
    let binds = AtomicU64::new(0);
    thread::scope(|scope| {
        let binder = scope.spawn(|| bind_until(&stop, &binds));
        let rounds = rounds(setting);
        stop.store(true, Ordering::Relaxed);
        let bound = binder.join().map_err(|_panic| anyhow::anyhow!("the thread that binds panicked"))?;
        rounds.and(bound)
    })?;
    let count = binds.into_inner();
    ensure!(count > 0, "nothing was bound meanwhile");
    super::lifecycle::await_unloaded(&program_ids()?, &before)?;
    println!("{}: {} rounds beside {count} binds", setting.backend, ROUNDS * setting.times);
    Ok(())
}

/// Binds TCP and UDP sockets of both families until `stop` is set, and counts the calls.
fn bind_until(stop: &AtomicBool, binds: &AtomicU64) -> anyhow::Result<()> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    while !stop.load(Ordering::Relaxed) {
        for kind in [SocketType::STREAM, SocketType::DGRAM] {
            bind(&socket(AddressFamily::INET, kind, None)?, &any)?;
            binds.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

fn rounds(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let mut shown = 0;
    for round in 0..ROUNDS * setting.times {
        shown += once(setting, &mut contested, round % 2 == 1).with_context(|| format!("round {round}"))?;
    }
    ensure!(shown > 0, "no refusal is shown in any round");
    Ok(())
}

/// One round: a trace, and with `together` another one that starts after it and ends before it. Returns how many of the
/// refusals were shown.
fn once(setting: Setting<'_>, contested: &mut ContestedPort, together: bool) -> anyhow::Result<u64> {
    let begin = || Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "--comm", "asker"]);
    let mut tracers = vec![begin()?];
    if together {
        tracers.push(begin()?);
    }
    contested.refuse("asker", REFUSALS)?;
    let mut shown = 0;
    for tracer in tracers.into_iter().rev() {
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        // The kernel passes over a call while the same program is interrupted on that processor, as in the thread that
        // binds: a refusal is in the account, or among those calls.
        let (account, passed_over) = (ended.account()?, ended.passed_over());
        ensure!(
            account.refused + passed_over >= u64::from(REFUSALS),
            "{REFUSALS} refusals, {passed_over} calls passed over, {account:?}: {:?}",
            ended.stderr
        );
        shown += account.shown;
    }
    Ok(shown)
}
