//! `portbind report`: summarizes recordings.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::style::style;
use crate::cli::error::{Error, ExitStatus};
use crate::cli::recordings::give_up_root;
use crate::cli::stderr;
use crate::escape::Escaped;
use crate::output::{ColorChoice, Format, Printer, Verbs};
use crate::recording;
use crate::report::{Collector, FileNotes, Report, print};
use crate::writer::Replacement;

/// What to read, and how to report it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Recordings, made with `portbind trace -o json` or `portbind run --record`; - reads standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Output format: `text` for people, `json` for one object.
    #[arg(short, long, value_parser = Verbs::Findings, default_value = "text")]
    output_format: Format,
    /// Also write an HTML page that any browser opens without a network.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

/// Runs the verb.
///
/// # Errors
/// If a recording cannot be read, or the report cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    give_up_root()?;
    let mut collector = Collector::default();
    for file in &args.files {
        read(file, &mut collector)?;
    }
    let report = collector.finish();
    report.files.iter().for_each(report_skipped);
    if let Some(path) = &args.html {
        let page = Replacement::in_this_process(path);
        let page = page.map_err(|source| Error::Output { path: path.clone(), source })?;
        page.write(|file| write_page(&report, file)).map_err(Error::Write)?;
    }
    let out = BufWriter::new(io::stdout().lock());
    match Printer::new(args.output_format, style(args.color, true), out).document(&report) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write(error)),
        _ => Ok(ExitStatus::Success),
    }
}

fn read(path: &Path, collector: &mut Collector) -> Result<(), Error> {
    let mut reader = recording::open(path)?;
    let mut lines = 0;
    for line in &mut reader {
        let line = line.map_err(|source| recording::Error { path: path.to_owned(), source })?;
        collector.push(&line);
        lines += 1;
    }
    collector.file(&path.to_string_lossy(), lines, reader.skipped().clone());
    Ok(())
}

/// Reports which parts of a recording were skipped.
fn report_skipped(file: &FileNotes) {
    let name = Escaped(file.name.unescaped());
    for note in file.skipped.notes().iter().filter(|note| note.damage.is_reported()) {
        stderr::say(format_args!("{name}: {note}"));
    }
}

fn write_page(report: &Report, file: &File) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    print::html(report, &mut out)?;
    out.flush()
}
