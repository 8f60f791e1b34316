//! `portbind free`: stops who has a port, or removes a stale socket file.

mod args;
mod consent;
mod file;
mod remover;
mod stopping;

use std::net::{Ipv4Addr, Ipv6Addr};

pub use self::args::Args;
use self::consent::{Consent, consent};
pub use self::remover::{Args as RemoveArgs, VERB as REMOVE, Word, run as remove};
use self::stopping::Stopping;
use super::asked::socket;
use super::examine::examine;
use super::helper::Helper;
use super::values::{PortProtocol, Seconds, Target};
use crate::cli::error::{Error, ExitStatus};
use crate::diagnosis::answer::{Freed, Place, Stage};
use crate::diagnosis::freeing::{Plan, Surroundings, plan};
use crate::event::{Options, Protocol, Refusal};
use crate::host::port_sockets::{Found, Protocols, Query};
use crate::host::ports;
use crate::output::answer::Answer;

/// Runs the verb: success if the port or the path is free.
///
/// # Errors
/// If there is nobody to say yes, a privilege is missing, or the answer cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let helper = Helper::new(&args.common)?;
    let Target(place) = &args.target;
    let freed = match place {
        Place::Port(port) => free_port(args, &helper, *port)?,
        Place::Name(name) => file::free(args, &helper, name)?,
    };
    helper.tell_unseen(freed.unseen);
    helper.answer(&Answer::Freed(&freed))?;
    let is_planned = freed.stage == Stage::Planned && args.dry_run;
    Ok(if freed.is_free || is_planned { ExitStatus::Success } else { ExitStatus::Negative })
}

fn free_port(args: &Args, helper: &Helper, port: u16) -> Result<Freed, Error> {
    let PortProtocol(protocol) = args.protocol;
    let begun = helper.now();
    let own = helper.host.lineage(std::process::id());
    let socket = socket(helper, protocol, Ipv4Addr::UNSPECIFIED.into(), port, Options::default());
    let facts = ports::look(&helper.host.entrance, helper.netns.descriptor(), &socket);
    let query = Query::port(port, Protocols::One(protocol));
    let look = || look(helper, &query, &own, facts.ephemeral);
    let (plan, Found { holders, unseen, .. }) = look()?;
    let mut freed = Freed {
        time: helper.now(),
        subject: helper.subject(Place::Port(port), Some(protocol)),
        stage: if plan.is_forbidden() { Stage::Forbidden } else { Stage::Planned },
        is_free: false,
        plan,
        stopped: Vec::new(),
        holders,
        refusal: None,
        cause: None,
        unseen,
    };
    if freed.stage == Stage::Planned && consent(args, helper, &freed)? == Consent::Yes {
        let Seconds(grace) = args.grace;
        let look = || Ok(look()?.0);
        let stopping = Stopping { host: &helper.host, grace, begun, look: &look };
        freed.stage = Stage::Done;
        match stopping.stop_all(&freed.plan)? {
            Ok(stopped) => freed.stopped = stopped,
            Err(changed) => (freed.plan, freed.stage) = (changed, Stage::Forbidden),
        }
    }
    freed.refusal = verify(args, helper, protocol, port)?;
    // Who is left alone is not offered to be stopped.
    if let Some(refusal) = freed.refusal.as_mut().filter(|_| !freed.plan.obstacles.is_empty()) {
        refusal.fixes.retain(|fix| !fix.code.starts_with("stop-"));
    }
    freed.is_free = freed.refusal.is_none();
    freed.time = helper.now();
    Ok(freed)
}

/// Looks who is on the port, and decides whom to stop.
fn look(
    helper: &Helper,
    query: &Query,
    own: &[u32],
    ephemeral: Option<(u16, u16)>,
) -> Result<(Plan, Found), Error> {
    let found = helper.find(query)?;
    if found.unseen.processes > 0 {
        return Err(Error::Hidden(found.unseen.processes));
    }
    let surroundings = Surroundings {
        own,
        ephemeral,
        manager: &|process| helper.host.manager(process),
        standing: &|process| helper.host.standing(process.pid),
        cgroup: &|inode| found.cgroups.get(&inode).copied(),
    };
    Ok((plan(&found.holders, &surroundings), found))
}

/// Tries to bind the port on every address; what is in the way.
fn verify(args: &Args, helper: &Helper, protocol: Protocol, port: u16) -> Result<Option<Refusal>, Error> {
    let options = Options { reuse_address: args.reuse_address, ..Options::default() };
    for address in [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()] {
        let check = examine(helper, &socket(helper, protocol, address, port, options))?;
        let is_v6_off = address.is_ipv6()
            && check.refusal.as_ref().is_some_and(|refusal| {
                matches!(refusal.error.name(), Some("EAFNOSUPPORT" | "EADDRNOTAVAIL"))
            });
        if let Some(mut refusal) = check.refusal.filter(|_| !is_v6_off) {
            // Every address is wanted.
            refusal.fixes.retain(|fix| !matches!(fix.code, "own-address" | "v6-only"));
            return Ok(Some(refusal));
        }
    }
    Ok(None)
}
