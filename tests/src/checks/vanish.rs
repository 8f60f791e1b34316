//! A holder that lets go of the port between the kernel's decision and the look at the port.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::ensure;
use rustix::process::Signal;

use super::support::{SOON, events, exited};
use super::{Setting, Unfit};
use crate::actor::Action;
use crate::ports::Ports;
use crate::tracer::Tracer;
use crate::troupe::Troupe;

/// Refusals in one go.
const BATCH: u32 = 50;
/// How often, until it must have happened.
const BATCHES: u32 = 40;

/// The tracepoints look at the end of the system call: among many refusals by a socket that comes and goes, some
/// find nobody, and say so.
pub(super) fn holder_lets_go(setting: Setting<'_>) -> anyhow::Result<()> {
    if setting.backend != "tracepoint" {
        return Err(Unfit("this backend looks before the holder can let go").into());
    }
    if std::thread::available_parallelism()?.get() < 2 {
        return Err(Unfit("it takes two CPUs").into());
    }
    let mut ports = Ports::new();
    let port = ports.take()?;
    let only = port.to_string();
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-P", &only])?;
    let mut troupe = Troupe::default();
    let mut told = 0;
    let mut vanished = 0;
    for _ in 0..BATCHES {
        let pid = chase(&mut troupe, port, BATCH)?;
        told += usize::try_from(BATCH)?;
        let complete = |lines: &[String]| events(lines, pid).is_ok_and(|events| events.len() >= told);
        ensure!(tracer.stdout.wait(SOON, complete), "not all of {told} refusals are told");
        let seen = events(&tracer.stdout.so_far(), pid)?;
        vanished = seen.iter().filter(|event| event.cause.code == "vanished").count();
        if vanished > 0 {
            break;
        }
    }
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    ended.account()?.check()?;
    ensure!(vanished > 0, "of {told} refusals, each had a holder");
    Ok(())
}

/// Has a port refused so many times that somebody takes and leaves all the time; the pid of who is refused.
pub(crate) fn chase(troupe: &mut Troupe, port: u16, count: u32) -> anyhow::Result<u32> {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if troupe.pid("server").is_none() {
        troupe.tell("server", &Action::Flicker { address, port })?;
    }
    let answer = troupe.tell("client", &Action::Chase { address, port, count })?;
    ensure!(answer.refused == Some(count), "{count} refusals ordered, got {:?}", answer.error);
    Ok(answer.pid)
}
