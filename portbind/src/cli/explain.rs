//! `portbind explain`: explains the "address already in use" errors of a log.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use jiff::Timestamp;

use super::style::style;
use super::values::Zone;
use crate::cli::error::{Error, ExitStatus};
use crate::cli::recordings;
use crate::cli::stderr;
use crate::event::Code;
use crate::host::zone;
use crate::log_errors::{Clock, Complaint, Finder, Joiner, Lines, Match, Reason};
use crate::output::{ColorChoice, Format, Printer, Verbs};
use crate::pages::Pages;
use crate::recording::{Line, STDIN};

/// The most log errors that are joined with recordings; later ones are only counted.
const MAX_JOINED: usize = 2000;
/// Bytes per read.
const BUFFER: usize = 1 << 18;

/// The log, and the recordings to explain it with.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Args {
    /// Print the page of this cause: what it means, what helps, and what does not.
    #[arg(
        long,
        value_name = "CODE",
        value_parser = code(),
        conflicts_with_all = ["log", "record", "output_format", "zone"],
    )]
    cause: Option<String>,
    /// The log; - reads standard input.
    #[arg(value_name = "LOG", default_value = STDIN)]
    log: PathBuf,
    /// What trace or run recorded at the time; may be given several times.
    #[arg(long, value_name = "FILE")]
    record: Vec<PathBuf>,
    /// Output format: `text` for people, `json` for one object per line.
    #[arg(short, long, value_parser = Verbs::Recordings, default_value = "text")]
    output_format: Format,
    /// The time zone of timestamps in the log that name none, as UTC or Europe/Berlin; the default is this machine's.
    #[arg(long, value_name = "ZONE")]
    zone: Option<Zone>,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

const EXIT_STATUS: &str = "\
Exit status: 0 an error was found in the log; 1 none was found; 2 the command line is wrong, or a file
             cannot be read; 5 another failure.";

/// Runs the verb.
///
/// # Errors
/// If a file cannot be read, or explanations cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    if let Some(code) = &args.cause {
        return print_page(code);
    }
    recordings::give_up_root()?;
    let zone = args.zone.as_ref().map_or_else(zone::local, Zone::get);
    let clock = Clock { today: Timestamp::now().to_zoned(zone.clone()).date(), zone };
    let out = BufWriter::new(io::stdout());
    let printer = Printer::new(args.output_format, style(args.color, true), out);
    let mut explanations = Explanations { printer, count: 0 };
    let written = if args.record.is_empty() {
        read(&args.log, clock, |complaint| {
            explanations.print(&Match { complaint, join: Err(Reason::NoRecording) })
        })
    } else {
        joined(args, clock, &mut explanations)
    };
    match written {
        Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    Ok(if explanations.count > 0 { ExitStatus::Success } else { ExitStatus::Negative })
}

/// The codes of causes, for `--help` and for the error about an unknown code.
fn code() -> PossibleValuesParser {
    PossibleValuesParser::new(Code::ALL.iter().map(|code| code.as_str()))
}

fn print_page(code: &str) -> Result<ExitStatus, Error> {
    let page = Pages::unpack().of(code).unwrap_or_default();
    match io::stdout().write_all(page.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write(error)),
        _ => Ok(ExitStatus::Success),
    }
}

/// Reads the log first, which shows which refused binds matter; only these are kept from the recordings.
fn joined(args: &Args, clock: Clock, explanations: &mut Explanations<impl Write>) -> Result<(), Error> {
    let (mut complaints, mut left) = (Vec::new(), 0_u64);
    read(&args.log, clock, |complaint| {
        if complaints.len() < MAX_JOINED {
            complaints.push(complaint);
        } else {
            left += 1;
        }
        Ok(())
    })?;
    let mut joiner = Joiner::new(complaints);
    for path in &args.record {
        recordings::each_line(path, |line| {
            if let Line::Refusal(refusal) = line {
                joiner.show(*refusal);
            }
        })?;
    }
    for matched in joiner.finish() {
        explanations.print(&matched)?;
    }
    if left > 0 {
        stderr::say(format_args!(
            "{left} more lines of the log report refusals; portbind did not search for them"
        ));
    }
    Ok(())
}

/// Passes each error of a log to `found` as soon as the error is complete.
fn read(
    path: &Path,
    clock: Clock,
    mut found: impl FnMut(Complaint) -> Result<(), Error>,
) -> Result<(), Error> {
    let error = |source| Error::Log { path: path.to_owned(), source };
    let input: Box<dyn Read> = match path == Path::new(STDIN) {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path).map_err(error)?),
    };
    let mut lines = Lines::new(BufReader::with_capacity(BUFFER, input));
    let mut finder = Finder::new(clock);
    while let Some(line) = lines.next_line().map_err(error)? {
        let mut next = finder.line(line);
        while let Some(complaint) = next {
            found(complaint)?;
            next = finder.complete();
        }
    }
    finder.finish().try_for_each(found)
}

/// Prints and counts explanations.
struct Explanations<W> {
    printer: Printer<W>,
    count: u64,
}

impl<W: Write> Explanations<W> {
    fn print(&mut self, matched: &Match) -> Result<(), Error> {
        self.count += 1;
        self.printer.document(matched).map_err(Error::Write)
    }
}
