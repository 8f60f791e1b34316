//! `portbind run`: runs a command, and reports the refused binds of the command and its descendants.

mod advice;
mod args;
mod collector;
mod trace;

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use portbind_abi::{Filter, life};

pub use self::args::Args;
use self::collector::Collector;
use self::trace::Trace;
use super::rights;
use crate::cli::error::{Error, ExitStatus, of_wrapped};
use crate::cli::stderr;
use crate::host::broker_start::start_beside;
use crate::host::{Accounts, Failed, Host, generation};
use crate::kernel::backend::Backend;
use crate::kernel::tracer::{Options, Tracer};
use crate::wrapped::{Child, Daemons, Identity, Launcher};

/// Runs the verb.
///
/// # Errors
/// If the command cannot be wrapped: a capability is missing, no backend works, a file cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    wrap(args).map_err(of_wrapped)
}

fn wrap(args: &Args) -> Result<ExitStatus, Error> {
    let host = Host::new();
    let lacks_proc = host.procfs.lacks_this_process();
    if lacks_proc && !args.optional {
        return Err(Error::NoProc);
    }
    let say = |text: &str| stderr::say_unless(args.quiet, text);
    let identity = Identity::of(args.user.as_deref(), &Accounts::at(Path::new("/")), &host.procfs, say)?;
    let unfollowed = |why: &Error| {
        let rest =
            if args.record.is_some() || args.report.is_some() { ", and nothing is recorded" } else { "" };
        stderr::say(format_args!("the command runs without being followed{rest}: {why}"));
    };
    if lacks_proc {
        // Without /proc, the helper processes of this program cannot be started either.
        unfollowed(&Error::NoProc);
        return Err(Launcher::replace_this_process(&args.command, &identity).into());
    }
    let daemons = Rc::new(RefCell::new(Daemons::default()));
    let collector = Collector::open(args, &identity, Rc::clone(&daemons))?;
    let trace = match start_tracing(args, &host) {
        Ok(trace) => Some(trace),
        Err(error) if args.optional => {
            unfollowed(&error);
            None
        }
        Err(error) => return Err(error),
    };
    // From here on the command runs to its end, whatever happens to the trace.
    let mut child = match Child::start(&args.command, &identity) {
        Ok(child) => child,
        Err(error) if args.optional => {
            stderr::say(format_args!(
                "the command takes the place of portbind: no process can be started: {error}"
            ));
            return Err(Launcher::replace_this_process(&args.command, &identity).into());
        }
        Err(error) => return Err(Failed::at("cannot start the command")(error).into()),
    };
    let found =
        trace.and_then(|trace| trace::follow(trace, args, collector, &daemons, &mut child, &identity));
    let ending = child.wait().map_err(Failed::at(trace::NO_STATUS))?;
    let is_corpus_file = |finding: &args::Finding| found.is_some_and(|found| found.has(*finding));
    let fails = ending.exit_status() == 0 && args.fail_on.iter().any(is_corpus_file);
    Ok(if fails { ExitStatus::Negative } else { ExitStatus::Wrapped(ending.exit_status()) })
}

fn start_tracing(args: &Args, host: &Host) -> Result<Trace, Error> {
    rights::require(|text| stderr::say_unless(args.quiet, text))?;
    if host.procfs.in_initial_pid_namespace() == Some(false) {
        return Err(Error::PidNamespace);
    }
    let filter = Filter {
        errors: args.errors.words(),
        ignored_pid: std::process::id(),
        life: life::BOUND | if args.track_connects { life::CONNECTED } else { 0 },
        descendants: 1,
        ..Filter::ANY
    };
    let backends = args.backend.map_or_else(|| Backend::preferred(generation()), |backend| vec![backend]);
    let options = Options { backends, filter, ports: None, descendants: true };
    let say = |text: &str| stderr::say_unless(args.quiet, text);
    let (helpers, tracer) = start_beside(say, || Tracer::start(&options));
    Trace::of(tracer?, helpers)
}
