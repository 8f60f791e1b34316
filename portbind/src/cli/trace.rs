//! `portbind trace`: reports every refused bind on the machine, and who held the port.

mod sink;

use std::path::PathBuf;

use portbind_abi::{Filter, life};

use self::sink::Sink;
use super::rights;
use super::style::style;
use super::values::{Comm, ErrorSet, NetnsRef, PortList, ProtocolSet, Seconds};
use crate::cli::error::{Error, ExitStatus};
use crate::cli::stderr;
use crate::host::broker_start::start_beside;
use crate::host::confinement::Purpose;
use crate::host::{Failed, Host, generation};
use crate::kernel::backend::Backend;
use crate::kernel::tracer::{Options, Tracer};
use crate::output::{ColorChoice, Format, Style, Verbs};
use crate::secrets::Secrets;
use crate::session::{self, Engine, Settings, Sink as _};
use crate::sys::code;
use crate::sys::stop::Stop;

/// Equal refusals printed per second; further ones are counted.
const BURST: u32 = 16;

/// What to trace, and how to report it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portbind trace                                      # every refused bind, until Ctrl-C
  portbind trace -P 8080,9000-9010 --comm nginx       # only nginx, only these ports
  portbind trace -o json --output run.jsonl --timeout 10m")]
pub struct Args {
    /// Output format: `text` for people, `brief` for one line per event, `json` for one object per line.
    #[arg(short, long, value_parser = Verbs::Events, value_name = "FORMAT", default_value = "text")]
    output_format: Format,
    /// Only refused binds of this process.
    #[arg(short, long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pid: Option<u32>,
    /// Only refused binds of these ports: 8080,9000-9010. Omits sockets without a port.
    #[arg(short = 'P', long = "port", value_name = "LIST")]
    ports: Option<PortList>,
    /// Only refused binds of processes or threads with this name.
    #[arg(long, value_name = "NAME")]
    comm: Option<Comm>,
    /// Only these protocols: tcp,udp,mptcp,ping,udplite,sctp,unix,netlink,vsock.
    #[arg(long = "proto", value_name = "LIST")]
    protocols: Option<ProtocolSet>,
    /// Only this network namespace: inode number, path, pid:N, or a name under /run/netns.
    #[arg(long, value_name = "NETNS")]
    netns: Option<NetnsRef>,
    /// Errors that count as refused binds: eaddrinuse, all, or a list of names and numbers.
    #[arg(short, long, value_name = "LIST", default_value = "eaddrinuse")]
    errors: ErrorSet,
    /// Use this backend instead of the first that works.
    #[arg(long, value_enum)]
    backend: Option<Backend>,
    /// Stop after this long: 30, 0.5, 5m, 1h.
    #[arg(long, value_name = "SECS")]
    timeout: Option<Seconds>,
    /// Stop after this many events.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Append events to this file (created for its owner only) instead of writing them to stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// With every refused bind, show earlier events on the port; by default only if the holder has ended.
    #[arg(long)]
    history: bool,
    /// Also in JSON, only count the repeated refusals of one process; `text` and `brief` always do.
    #[arg(long)]
    coalesce: bool,
    /// Keep at most this many events in the history of ports.
    #[arg(long, value_name = "N", default_value_t = session::HISTORY_LIMIT)]
    history_limit: usize,
    /// Also record the ports that connect(2) picks.
    #[arg(long)]
    track_connects: bool,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
    /// Print passwords and tokens in arguments as they are, instead of ***.
    #[arg(long)]
    show_secrets: bool,
    /// Print on stderr what was tried and which features are missing; twice: every bind and listen system call.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print only errors on stderr.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
}

/// Runs the verb.
///
/// # Errors
/// If a capability is missing, a word on the command line is wrong, no backend works, or events cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let filter = args.filter()?;
    let sink = sink::open(args.output_format, args.style(), args.output.as_deref(), args.quiet)?;
    rights::require(|text| stderr::say_unless(args.quiet, text))?;
    let options = Options {
        backends: args.backend.map_or_else(|| Backend::preferred(generation()), |backend| vec![backend]),
        filter,
        ports: args.ports.as_ref().map(|ports| Box::new(*ports.words())),
        descendants: false,
    };
    let say = |text: &str| stderr::say_unless(args.quiet, text);
    let (helpers, tracer) = start_beside(say, || Tracer::start(&options));
    let (host, tracer) = (Host::new().through(helpers), tracer?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failed::at("cannot start the runtime"))?;
    runtime.block_on(follow(args, host, tracer, sink))
}

/// Traces until a signal, a limit or a closed pipe ends it.
async fn follow(args: &Args, host: Host, tracer: Tracer, sink: Sink) -> Result<ExitStatus, Error> {
    let signals = Stop::on_signals().map_err(Failed::at("cannot handle signals"))?;
    let records = session::records(&tracer)?;
    let mut engine = Engine::new(args.settings(), host, tracer, records, sink);
    // Not on the thread that writes notes: a thread that starts before the capabilities are given up keeps them.
    if args.verbose > 1
        && let Err(reason) = engine.follow_debug_lines()
    {
        stderr::say_unless(args.quiet, format_args!("there are no debug lines: {reason}"));
    }
    let is_verbose = args.verbose > 0;
    rights::give_up(Purpose::Trace, is_verbose, |text| engine.sink_mut().note(text))?;
    engine.begin(is_verbose)?;
    code::let_go();
    let timeout = args.timeout.as_ref().map(|timeout| timeout.0);
    let end = engine.follow(signals.or_after(timeout)).await?;
    engine.close(end).await?;
    engine.sink_mut().finish_notes().await;
    Ok(ExitStatus::Success)
}

impl Args {
    const fn secrets(&self) -> Secrets {
        if self.show_secrets { Secrets::Shown } else { Secrets::Masked }
    }

    fn style(&self) -> Style {
        let style = style(self.color, self.output.is_none());
        Style { history: self.history, secrets: self.secrets(), ..style }
    }

    const fn settings(&self) -> Settings {
        Settings { count: self.count, history_limit: self.history_limit, last_words: session::LAST_WORDS }
    }

    fn coalesces(&self) -> bool {
        self.coalesce || self.output_format != Format::Json
    }

    fn filter(&self) -> Result<Filter, Error> {
        let mut filter = Filter {
            errors: self.errors.words(),
            pid: self.pid.unwrap_or(0),
            ports: u32::from(self.ports.is_some()),
            protocols: self.protocols.map_or(0, ProtocolSet::bits),
            ignored_pid: std::process::id(),
            burst: if self.coalesces() { BURST } else { 0 },
            life: life::BOUND | if self.track_connects { life::CONNECTED } else { 0 },
            ..Filter::ANY
        };
        if let Some(netns) = &self.netns {
            let error = |source| Error::Word { word: "--netns".to_owned(), source };
            filter.netns = netns.resolve().map_err(error)?;
        }
        if let Some(comm) = &self.comm {
            (filter.comm, filter.comm_mask) = session::comm_filter(comm.as_str());
        }
        Ok(filter)
    }
}
