//! `portbind doctor`: reports what this kernel and these privileges allow, and why not.

use std::io;

use crate::cli::error::{Error, ExitStatus};
use crate::output::{Format, Printer, Style, Verbs};
use crate::session::readiness::Findings;

/// Output options of `portbind doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: 0 tracing will work; 3 a capability is missing; 4 this kernel does not allow it.

Examples:
  sudo portbind doctor
  sudo portbind doctor -o json | jq .backends")]
pub struct Args {
    /// Output format: `text` for people, `json` for one object.
    #[arg(short, long, value_parser = Verbs::Findings, value_name = "FORMAT", default_value = "text")]
    output_format: Format,
}

/// Runs the verb; the status is success if tracing will work.
///
/// # Errors
/// If the findings cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let findings = Findings::gather();
    match Printer::new(args.output_format, Style::default(), io::stdout().lock()).document(&findings) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write(error)),
        _ if findings.ready => Ok(ExitStatus::Success),
        _ if !findings.missing_capabilities.is_empty() => Ok(ExitStatus::Permission),
        _ if !findings.descriptors.ok => Ok(ExitStatus::Failure),
        _ => Ok(ExitStatus::Unsupported),
    }
}
