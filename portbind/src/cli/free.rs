//! `portbind free`: stops who has a port, or removes a stale socket file.

mod file;
mod remover;
mod stopping;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};

pub use self::remover::{Args as RemoveArgs, VERB as REMOVE, Word, run as remove};
use self::stopping::Stopping;
use super::asked::socket;
use super::examine::examine;
use super::helper::{Common, Helper};
use super::values::{PortProtocol, Seconds, Target};
use crate::cli::error::{Error, ExitStatus};
use crate::cli::stderr;
use crate::diagnosis::answer::{Freed, Place, Stage};
use crate::diagnosis::freeing::{Plan, Surroundings, plan};
use crate::event::{Options, Protocol, Refusal};
use crate::host::port_sockets::{Found, Protocols, Query};
use crate::host::ports;
use crate::output::answer::Answer;

/// What is to be freed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Stopped are the processes that listen on the port, are bound to it, or have a connection open that was accepted there:
SIGTERM first, SIGKILL after --grace. Not stopped are clients, which only talk to the port or have it as their own
local port, and processes that were handed the socket, or such a connection, by the process tree that bound it. Nothing
is stopped at all if that would take process 1, this program or one above it, a socket of the kernel, or a service that
systemd starts again, or if several process trees have the socket and it cannot be decided which of them bound it: then
it says what to do instead.
A socket file is removed only if no socket is bound to it.

Exit status: 0 the port, or the path, is free; 1 it is not; 2 there is nobody to say yes; 3 a privilege is missing.

Examples:
  sudo portbind free 8080
  sudo portbind free 8080 --yes --grace 10
  portbind free /run/app.sock")]
pub struct Args {
    /// A port, or the path of a socket file (with a slash in it).
    #[arg(value_name = "PORT|PATH")]
    target: Target,
    /// The protocol: tcp, udp, mptcp, udplite or sctp.
    #[arg(long = "proto", value_name = "PROTO", default_value = "tcp")]
    protocol: PortProtocol,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Only show what would be done.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// How long processes have between SIGTERM and SIGKILL: 5, 0.5, 1m.
    #[arg(long, value_name = "SECS", default_value = "5")]
    grace: Seconds,
    /// The port counts as free when a bind with SO_REUSEADDR succeeds: connections in TIME_WAIT are then no matter.
    #[arg(long)]
    reuse_address: bool,
    #[command(flatten)]
    common: Common,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consent {
    Yes,
    No,
}

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

/// Asks, where that is needed and possible.
fn consent(args: &Args, helper: &Helper, freed: &Freed) -> Result<Consent, Error> {
    if freed.plan.targets.is_empty() && freed.cause.is_none() || args.yes {
        return Ok(Consent::Yes);
    }
    if args.dry_run {
        return Ok(Consent::No);
    }
    let shown = Answer::Freed(freed).text(&helper.style);
    anstream::eprint!("{shown}");
    if !io::stdin().is_terminal() {
        return Err(Error::Unconfirmed);
    }
    anstream::eprint!("Go on? [y/N] ");
    let asking = |source| Error::System { doing: "cannot ask", source };
    io::stderr().flush().map_err(asking)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(asking)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(Consent::Yes);
    }
    stderr::say("nothing was done");
    Ok(Consent::No)
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
