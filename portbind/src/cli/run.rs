//! `portbind run`: a command with all that comes of it, and what it was refused.

mod child;
mod collector;
mod html;
mod identity;
mod leaks;
mod page;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use portbind_ebpf::abi::{Filter, life};

use self::child::Child;
use self::collector::Collector;
use self::identity::Identity;
use super::session::{self, Session, Settings};
use super::values::ErrorSet;
use crate::diagnosis::event::{Command, CommandEnd};
use crate::error::{Error, ExitStatus};
use crate::host::clock::boot_time;
use crate::host::{Accounts, Host, Privileges};
use crate::kernel::backend::Backend;
use crate::kernel::tracer::{Options, Tracer};
use crate::output::ci;
use crate::output::color::ColorChoice;

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
    let host = Host::new();
    let identity = Identity::of(args, &Accounts::at(Path::new("/")), &host.procfs)?;
    let collector = Collector::open(args, &identity)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::System { doing: "cannot start the runtime", source })?;
    match start_tracing(args, &host) {
        Ok(tracer) => runtime.block_on(follow(args, &identity, &host, tracer, collector)),
        Err(error) if args.optional => {
            anstream::eprintln!("portbind: the command runs without being followed: {error}");
            runtime.block_on(pass_through(args, &identity))
        }
        Err(error) => Err(error),
    }
}

fn start_tracing(args: &Args, host: &Host) -> Result<Tracer, Error> {
    let missing = Privileges::read().missing();
    if !missing.is_empty() {
        return Err(Error::Privileges(missing));
    }
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
    Ok(Tracer::start(&Options { backends, filter, ports: None, family: true })?)
}

/// Runs the command under the eyes of the kernel half.
async fn follow(
    args: &Args,
    identity: &Identity,
    host: &Host,
    tracer: Tracer,
    collector: Collector,
) -> Result<ExitStatus, Error> {
    let system = |doing| move |source| Error::System { doing, source };
    let mut records = session::records(&tracer)?;
    let mut child = Child::start(&args.command, identity).map_err(system("cannot start the command"))?;
    tracer.adopt(child.pid())?;
    let settings = Settings { quiet: true, verbose: 0, count: None, history_limit: args.history_limit };
    let mut session = Session::start(settings, tracer, collector)?;
    let command = args.describe(identity, host, child.pid());
    session.sink_mut().started(command.clone())?;
    child.let_go().map_err(system("cannot let the command go"))?;
    let end = session.follow(&mut records, child.ended()).await?;
    let ending = child.ending().map_err(system("cannot wait for the command"))?;
    let end_of_command = CommandEnd { time: host.clock.at(boot_time()), started: command.time, ending };
    let leaks = leaks::find(&mut session, &mut records, host).await?;
    let collector = session.close(&mut records, end).await?;
    let found = collector.finish(&end_of_command, &leaks, host.clock.at(boot_time()), identity)?;
    let fails = ending.exit_status() == 0 && args.fail_on.iter().any(|finding| found.has(*finding));
    Ok(if fails { ExitStatus::Negative } else { ExitStatus::Wrapped(ending.exit_status()) })
}

/// Runs the command as it is.
async fn pass_through(args: &Args, identity: &Identity) -> Result<ExitStatus, Error> {
    let system = |doing| move |source| Error::System { doing, source };
    let mut child = Child::start(&args.command, identity).map_err(system("cannot start the command"))?;
    child.let_go().map_err(system("cannot let the command go"))?;
    child.ended().await;
    let ending = child.ending().map_err(system("cannot wait for the command"))?;
    Ok(ExitStatus::Wrapped(ending.exit_status()))
}

impl Args {
    fn describe(&self, identity: &Identity, host: &Host, pid: u32) -> Command {
        Command {
            time: host.clock.at(boot_time()),
            pid,
            args: self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            uid: identity.uid,
            user: host.users.name(identity.uid),
            job: host.describe(pid).and_then(|process| process.job),
        }
    }
}
