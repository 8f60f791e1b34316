//! Stops the processes that bound a port, or removes a stale socket file.

mod file;
mod freed;
mod helper;
mod options;
mod remover;
mod stopping;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use self::freed::{Freed, Outcome, Stage, Stopped};
pub(crate) use self::helper::{Args as RemoveArgs, VERB as REMOVE, run as remove};
pub use self::options::{Consent, FreeOptions};
use self::stopping::Stopping;
use super::bind::Bind;
use super::check::check;
use super::error::Error;
use super::inspector::Inspector;
use super::request::{PortOrName, Request};
use crate::diagnosis::freeing::{Plan, Surroundings, plan};
use crate::diagnosis::manager::Manager;
use crate::event::{Options, Refusal};
use crate::host::port_sockets::{PortSockets, Protocols, Query};
use crate::host::ports;

/// Stops the process tree that bound a port, or removes a socket file to which no socket is bound.
///
/// Processes that only received the socket from another one are not stopped. If portbind cannot determine which process
/// tree bound the port, it stops none. `consent` is called once, with the plan, before a process is signalled or a file
/// is removed.
///
/// # Errors
/// The errors of `consent`; [`Error::Hidden`] if portbind may not inspect a process that may own the port; another
/// [`Error`] if the namespace or the file cannot be accessed.
pub fn free<E: From<Error>>(
    inspector: &Inspector,
    target: &PortOrName,
    options: &FreeOptions,
    consent: impl FnOnce(&Freed) -> Result<Consent, E>,
) -> Result<Freed, E> {
    match target {
        PortOrName::Port(port) => free_port(inspector, *port, options, consent),
        PortOrName::Name(name) => file::free_name(inspector, name, options, consent),
    }
}

fn free_port<E: From<Error>>(
    inspector: &Inspector,
    port: u16,
    options: &FreeOptions,
    consent: impl FnOnce(&Freed) -> Result<Consent, E>,
) -> Result<Freed, E> {
    let protocol = options.protocol;
    let begun = inspector.now();
    let own = inspector.host.lineage(std::process::id());
    let socket = inspector.socket(&Bind::new(protocol, port));
    let facts = ports::facts(&inspector.host.entrance, inspector.netns.descriptor(), &socket);
    let query = Query::port(port, Protocols::One(protocol));
    let plan_now = || sockets_and_plan(inspector, &query, &own, facts.ephemeral);
    let (plan, PortSockets { holders, unseen, .. }) = plan_now()?;
    let mut freed = Freed {
        time: inspector.now(),
        request: Request { protocol: Some(protocol), ..inspector.request(PortOrName::Port(port)) },
        stage: if plan.is_forbidden() { Stage::Forbidden } else { Stage::Planned },
        is_free: false,
        plan,
        stopped: Vec::new(),
        holders,
        refusal: None,
        cause: None,
        unseen,
    };
    let goes_on = match (freed.stage, freed.plan.targets.is_empty()) {
        (Stage::Planned, true) => true,
        (Stage::Planned, false) => !options.dry_run && consent(&freed)? == Consent::Yes,
        _ => false,
    };
    if goes_on {
        let plan_again = || Ok(plan_now()?.0);
        let stopping =
            Stopping { host: &inspector.host, grace: options.grace, begun, plan_again: &plan_again };
        freed.stage = Stage::Done;
        match stopping.stop_all(&freed.plan)? {
            Ok(stopped) => freed.stopped = stopped,
            Err(changed) => (freed.plan, freed.stage) = (changed, Stage::Forbidden),
        }
    }
    freed.refusal = verify(inspector, port, options)?;
    // A process that `free` does not stop is not suggested for stopping either.
    if let Some(refusal) = freed.refusal.as_mut().filter(|_| !freed.plan.obstacles.is_empty()) {
        refusal.fixes.retain(|fix| !fix.code.starts_with("stop-"));
    }
    freed.is_free = freed.refusal.is_none();
    freed.time = inspector.now();
    Ok(freed)
}

/// Finds the processes on the port, and decides which to stop.
fn sockets_and_plan(
    inspector: &Inspector,
    query: &Query,
    own: &[u32],
    ephemeral: Option<(u16, u16)>,
) -> Result<(Plan, PortSockets), Error> {
    let sockets = inspector.find(query)?;
    if sockets.unseen.processes > 0 {
        return Err(Error::Hidden(sockets.unseen.processes));
    }
    let asker = inspector.host.describe(std::process::id());
    let surroundings = Surroundings {
        own,
        ephemeral,
        manager: &|process| Manager::of(process, asker.as_ref()),
        standing: &|process| inspector.host.standing(process.pid),
        process: &|pid| inspector.host.describe(pid),
        cgroup: &|inode| sockets.cgroups.get(&inode).copied(),
    };
    Ok((plan(&sockets.holders, &surroundings), sockets))
}

/// Tries to bind the port on the wildcard address, and returns what prevents it.
fn verify(inspector: &Inspector, port: u16, wanted: &FreeOptions) -> Result<Option<Refusal>, Error> {
    let options = Options { reuse_address: wanted.reuse_address, ..Options::default() };
    let every: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    for address in every {
        let bind = Bind { address: Some(address), options, ..Bind::new(wanted.protocol, port) };
        let check = check(inspector, &bind)?;
        let is_v6_off = address.is_ipv6()
            && check.refusal.as_ref().is_some_and(|refusal| {
                matches!(refusal.error.name(), Some("EAFNOSUPPORT" | "EADDRNOTAVAIL"))
            });
        if let Some(mut refusal) = check.refusal.filter(|_| !is_v6_off) {
            // The port must be free on every address.
            refusal.fixes.retain(|fix| !matches!(fix.code, "own-address" | "v6-only"));
            return Ok(Some(refusal));
        }
    }
    Ok(None)
}
