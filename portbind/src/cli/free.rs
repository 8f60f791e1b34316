//! `portbind free`: stops the processes that own a port, or removes a stale socket file.

mod args;
mod consent;

pub use self::args::Args;
use self::consent::consent;
use super::answering::{Answering, report_unseen};
use super::values::{PortProtocol, Seconds};
use crate::cli::error::{Error, ExitStatus};
use crate::output::answer::Answer;
use crate::ports::{self, FreeOptions, Freed, Stage};

/// Runs the verb; the status is success if the port or the path is free.
///
/// # Errors
/// If nobody can confirm, a privilege is missing, or the answer cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let answering = Answering::new(&args.common)?;
    let PortProtocol(protocol) = args.protocol;
    let Seconds(grace) = args.grace;
    let options = FreeOptions { protocol, grace, reuse_address: args.reuse_address, dry_run: args.dry_run };
    let consent = |freed: &Freed| consent(args, &answering, freed);
    let freed = ports::free(&answering.inspector, &args.target.0, &options, consent)?;
    report_unseen(freed.unseen);
    answering.answer(&Answer::Freed(&freed))?;
    let is_planned = freed.stage == Stage::Planned && args.dry_run;
    Ok(if freed.is_free || is_planned { ExitStatus::Success } else { ExitStatus::Negative })
}
