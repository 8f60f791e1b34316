//! `portbind run`: a command with all that comes of it, and what it was refused.

mod child;
mod collector;
mod html;
mod identity;
mod launcher;
mod leaks;
mod page;
mod trace;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portbind_ebpf::abi::{Filter, life};

use self::child::Child;
use self::collector::Collector;
use self::identity::Identity;
use self::launcher::Launcher;
use self::trace::Trace;
use super::broker;
use super::session::{self, Settings};
use super::values::ErrorSet;
use crate::error::{Error, ExitStatus};
use crate::event::Command;
use crate::host::clock::boot_time;
use crate::host::confinement::Purpose;
use crate::host::job::job_to_be;
use crate::host::{Accounts, Host, invoker};
use crate::kernel::backend::Backend;
use crate::kernel::tracer::{Options, Tracer};
use crate::output::ci;
use crate::output::color::ColorChoice;
use crate::secrets::Secrets;
use crate::stderr;

/// How long what is left to be recorded may take once the command has ended.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// What to run, and what to make of it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Args {
    /// Run the command as this user, by name or number; else as who called sudo.
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// Append every event to this file, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write a page that any browser shows to this file, in place of what is there.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// End with status 1 for what was found, though the command itself ended with 0.
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',')]
    fail_on: Vec<Finding>,
    /// Which errors are refusals: eaddrinuse, all, or a list of names and numbers.
    #[arg(short, long, value_name = "LIST", default_value = "eaddrinuse")]
    errors: ErrorSet,
    /// Tell the findings in the form of this CI system, too; -q leaves them out.
    #[arg(long, value_name = "SYSTEM", value_enum, default_value_t)]
    ci: ci::Choice,
    /// Where tracing is not possible, say so and run the command without.
    #[arg(long)]
    optional: bool,
    /// Use this backend instead of the first that works.
    #[arg(long, value_enum)]
    backend: Option<Backend>,
    /// Remember at most this many moments in the life of ports.
    #[arg(long, value_name = "N", default_value_t = 8192)]
    history_limit: usize,
    /// Also follow the ports that connect(2) picks.
    #[arg(long)]
    track_connects: bool,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
    /// Write passwords and tokens in arguments to the recording as they are; else *** stands in their place.
    #[arg(long)]
    show_secrets: bool,
    /// Tell each refusal on stderr when it happens, too.
    #[arg(short, long)]
    verbose: bool,
    /// Say nothing on stderr but errors.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const EXIT_STATUS: &str = "\
Exit status: that of the command; 128 + N if signal N ended it; 125 if portbind itself failed;
             126 if the command cannot be run; 127 if it is not found; 1 for --fail-on.

Examples:
  sudo portbind run -- cargo test
  sudo portbind run --record run.jsonl --fail-on refusal,leak -- make check";

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Finding {
    /// A refused bind.
    Refusal,
    /// A socket that outlives the command.
    Leak,
}

/// Runs the verb.
///
/// # Errors
/// If the command cannot be wrapped: a capability is missing, no backend works, a file cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    wrap(args).map_err(|error| match error {
        Error::Command { .. } => error,
        other => Error::Wrapper(Box::new(other)),
    })
}

fn wrap(args: &Args) -> Result<ExitStatus, Error> {
    let system = |doing| move |source| Error::System { doing, source };
    let host = Host::new();
    let lacks_proc = host.procfs.lacks_this_process();
    if lacks_proc && !args.optional {
        return Err(Error::NoProc);
    }
    let say = |text: &str| stderr::say_unless(args.quiet, text);
    let identity = Identity::of(args, &Accounts::at(Path::new("/")), &host.procfs, say)?;
    let unfollowed = |why: &Error| {
        let rest =
            if args.record.is_some() || args.report.is_some() { ", and nothing is recorded" } else { "" };
        stderr::say(format_args!("the command runs without being followed{rest}: {why}"));
    };
    if lacks_proc {
        // Nor can a process of this program be started.
        unfollowed(&Error::NoProc);
        return Err(Launcher::replace_this_process(&args.command, &identity));
    }
    let collector = Collector::open(args, &identity)?;
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
            return Err(Launcher::replace_this_process(&args.command, &identity));
        }
        Err(error) => return Err(system("cannot start the command")(error)),
    };
    let found = trace.and_then(|trace| trace::follow(trace, args, collector, &mut child, &identity));
    let ending = child.wait().map_err(system(trace::NO_STATUS))?;
    let is_found = |finding: &Finding| found.is_some_and(|found| found.has(*finding));
    let fails = ending.exit_status() == 0 && args.fail_on.iter().any(is_found);
    Ok(if fails { ExitStatus::Negative } else { ExitStatus::Wrapped(ending.exit_status()) })
}

fn start_tracing(args: &Args, host: &Host) -> Result<Trace, Error> {
    session::require(|text| stderr::say_unless(args.quiet, text))?;
    if host.procfs.in_initial_pid_namespace() == Some(false) {
        return Err(Error::PidNamespace);
    }
    let filter = Filter {
        errors: args.errors.words(),
        ignored_pid: std::process::id(),
        life: life::BOUND | if args.track_connects { life::CONNECTED } else { 0 },
        family: 1,
        ..Filter::ANY
    };
    let backends = args.backend.map_or_else(|| Backend::ALL.to_vec(), |backend| vec![backend]);
    let options = Options { backends, filter, ports: None, family: true };
    let say = |text: &str| stderr::say_unless(args.quiet, text);
    let (entrance, tracer) = broker::start_beside(say, || Tracer::start(&options));
    Trace::of(tracer?, entrance)
}

impl Args {
    const fn secrets(&self) -> Secrets {
        if self.show_secrets { Secrets::Shown } else { Secrets::Masked }
    }

    const fn settings(&self, command: u32) -> Settings {
        Settings {
            purpose: Purpose::Run { command },
            quiet: true,
            verbose: 0,
            count: None,
            history_limit: self.history_limit,
            last_words: LAST_WORDS,
        }
    }

    /// The command that process `pid` is about to become.
    fn describe(&self, identity: &Identity, host: &Host, pid: u32) -> Command {
        let launcher = host.describe(pid);
        let known = launcher.as_ref().and_then(|process| process.job.as_deref());
        Command {
            time: host.clock.at(boot_time()),
            pid,
            args: self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            uid: identity.uid,
            user: host.users.name(identity.uid),
            job: job_to_be(&invoker::packed(&identity.environment), pid, known),
        }
    }
}
