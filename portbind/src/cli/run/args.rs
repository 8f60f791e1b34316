//! Arguments of `portbind run`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::values::ErrorSet;
use crate::event::Command;
use crate::host::clock::boot_time;
use crate::host::job::job_to_be;
use crate::host::{Host, invoker};
use crate::kernel::backend::Backend;
use crate::output::color::ColorChoice;
use crate::report::ci;
use crate::secrets::Secrets;
use crate::session::{HISTORY_LIMIT, Settings};
use crate::wrapped::Identity;

/// How long the last events may take to be recorded after the command has ended.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The command to run, and what to do with its refused binds.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Args {
    /// Run the command as this user (name or number); the default is the user who called sudo.
    #[arg(short, long, value_name = "USER")]
    pub(super) user: Option<String>,
    /// Append every event to this file, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// Write an HTML page to this file, replacing its content.
    #[arg(long, value_name = "FILE.html")]
    pub(super) report: Option<PathBuf>,
    /// Exit with status 1 if any of these was found, even if the command exits with 0.
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',')]
    pub(super) fail_on: Vec<Finding>,
    /// Errors that count as refused binds: eaddrinuse, all, or a list of names and numbers.
    #[arg(short, long, value_name = "LIST", default_value = "eaddrinuse")]
    pub(super) errors: ErrorSet,
    /// Also print the findings in the format of this CI system; -q turns this off.
    #[arg(long, value_name = "SYSTEM", value_enum, default_value_t)]
    pub(super) ci: ci::Choice,
    /// If tracing is not possible, print a warning and run the command without it.
    #[arg(long)]
    pub(super) optional: bool,
    /// Use this backend instead of the first that works.
    #[arg(long, value_enum)]
    pub(super) backend: Option<Backend>,
    /// Keep at most this many events in the history of ports.
    #[arg(long, value_name = "N", default_value_t = HISTORY_LIMIT)]
    pub(super) history_limit: usize,
    /// Also record the ports that connect(2) picks.
    #[arg(long)]
    pub(super) track_connects: bool,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    pub(super) color: ColorChoice,
    /// Record passwords and tokens in arguments as they are, instead of ***.
    #[arg(long)]
    pub(super) show_secrets: bool,
    /// Also print each refused bind on stderr when it happens.
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Print only errors on stderr.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
}

const EXIT_STATUS: &str = "\
Exit status: the command's own; 128 + N if signal N ended it; 125 if portbind itself failed;
             126 if the command cannot be run; 127 if it is not found; 1 for --fail-on.

Examples:
  sudo portbind run -- cargo test
  sudo portbind run --record run.jsonl --fail-on refusal,leak -- make check";

/// What `--fail-on` reacts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Finding {
    /// A refused bind.
    Refusal,
    /// A socket that outlives the command.
    Leak,
}

impl Args {
    pub(super) const fn secrets(&self) -> Secrets {
        if self.show_secrets { Secrets::Shown } else { Secrets::Masked }
    }

    pub(super) const fn settings(&self) -> Settings {
        Settings { count: None, history_limit: self.history_limit, last_words: LAST_WORDS }
    }

    /// Describes the command that process `pid` is about to execute.
    pub(super) fn describe(&self, identity: &Identity, host: &Host, pid: u32) -> Command {
        let launcher = host.describe(pid);
        let known = launcher.as_ref().and_then(|process| process.job.as_deref());
        Command {
            time: host.clock.at(boot_time()),
            pid,
            args: self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            uid: identity.uid(),
            user: host.users.name(identity.uid()),
            job: job_to_be(&invoker::packed(&identity.environment), pid, known),
        }
    }
}
