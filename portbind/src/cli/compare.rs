//! `portbind compare`: compares the refused binds of recordings from before and after a change.

use std::io::{self, BufWriter};
use std::path::PathBuf;

use super::style::style;
use crate::cli::error::{Error, ExitStatus};
use crate::cli::recordings;
use crate::diagnosis::comparison::{Fate, Side, compare};
use crate::output::comparison::Comparison;
use crate::output::{ColorChoice, Format, Printer, Verbs};
use crate::recording::{Line, fingerprint};

/// The recordings to compare.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_STATUS, override_usage = "portbind compare [OPTIONS] <BEFORE>... -- <AFTER>...")]
pub struct Args {
    /// Recordings from before the change, made by trace or run.
    #[arg(required = true, value_name = "BEFORE")]
    before: Vec<PathBuf>,
    /// Recordings from after the change.
    #[arg(last = true, required = true, value_name = "AFTER")]
    after: Vec<PathBuf>,
    /// Output format: `text` for people, `json` for one object.
    #[arg(short, long, value_parser = Verbs::Recordings, default_value = "text")]
    output_format: Format,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

const EXIT_STATUS: &str = "\
Exit status: 0 nothing new was refused; 1 something new was; 2 the command line is wrong, or a file
             cannot be read; 5 another failure.";

/// Runs the verb.
///
/// # Errors
/// If a file cannot be read, or the comparison cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    recordings::give_up_root()?;
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let out = BufWriter::new(io::stdout());
    let mut printer = Printer::new(args.output_format, style(args.color, true), out);
    match printer.document(&Comparison { before: &before, after: &after }) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(Error::Write(error)),
        _ => {}
    }
    let is_new = compare(&before, &after).iter().any(|change| change.fate() == Fate::New);
    Ok(if is_new { ExitStatus::Negative } else { ExitStatus::Success })
}

/// Reads the recordings of one side. Each file counts as one run, unless it records several.
fn read(paths: &[PathBuf]) -> Result<Side, Error> {
    let mut side = Side::default();
    for path in paths {
        let (mut commands, mut summaries) = (0_u64, 0_u64);
        recordings::each_line(path, |line| match line {
            Line::Refusal(refusal) => side.add(fingerprint(&refusal)),
            Line::Command(_) => commands = commands.saturating_add(1),
            Line::Summary(_) => summaries = summaries.saturating_add(1),
            _ => {}
        })?;
        side.runs = side.runs.saturating_add(commands.max(summaries).max(1));
    }
    Ok(side)
}
