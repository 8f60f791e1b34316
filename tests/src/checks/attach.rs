//! Programs are attached and detached repeatedly, while the traced calls continue.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::net::{AddressFamily, SocketType, bind, socket};
use rustix::process::Signal;

use super::setting::Setting;
use super::support::{ContestedPort, ENOUGH, exited};
use crate::actor::Protocol;
use crate::sys::bpf::program_ids;
use crate::tracer::Tracer;

/// Number of rounds; for a manual run, `--times 50` makes 200 rounds.
const ROUNDS: u32 = 4;

/// How often a refusal is made until it is shown, and how long each is waited for.
const ATTEMPTS: u32 = 20;
const A_MOMENT: Duration = Duration::from_secs(2);

/// In each round a trace starts and ends while a thread binds sockets continuously; in every second round, two traces
/// overlap. Each trace reports the refusals in its time, and no program stays loaded.
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
    for round in 0..ROUNDS * setting.times {
        once(setting, &mut contested, round % 2 == 1).with_context(|| format!("round {round}"))?;
    }
    Ok(())
}

/// One round: a trace, and with `together` another one that starts after it and ends before it.
fn once(setting: Setting<'_>, contested: &mut ContestedPort, together: bool) -> anyhow::Result<()> {
    let begin = || Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "--comm", "asker"]);
    let mut tracers = vec![begin()?];
    if together {
        tracers.push(begin()?);
    }
    contested.refuse("asker", ENOUGH)?;
    for tracer in tracers.into_iter().rev() {
        let is_refusal = |line: &String| line.contains(r#""kind":"refusal""#);
        // The kernel passes over a call while the same program is interrupted on that processor, as in the thread that
        // binds: then all refusals of a moment can be missing.
        let mut attempts = 0..ATTEMPTS;
        while !tracer.stdout.wait(A_MOMENT, |lines| lines.iter().any(is_refusal)) {
            ensure!(attempts.next().is_some(), "no refusal is shown");
            contested.refuse("asker", ENOUGH)?;
        }
        exited(&tracer.stop(Signal::INT)?, 0)?;
    }
    Ok(())
}
