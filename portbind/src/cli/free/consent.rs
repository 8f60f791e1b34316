//! The question whether to go on.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::args::Args;
use crate::cli::error::Error;
use crate::cli::helper::Helper;
use crate::cli::stderr;
use crate::diagnosis::answer::Freed;
use crate::output::answer::Answer;
use crate::output::{Format, Printer};

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    Yes,
    No,
}

/// Asks, where that is needed and possible.
pub(super) fn consent(args: &Args, helper: &Helper, freed: &Freed) -> Result<Consent, Error> {
    if freed.plan.targets.is_empty() && freed.cause.is_none() || args.yes {
        return Ok(Consent::Yes);
    }
    if args.dry_run {
        return Ok(Consent::No);
    }
    let asking = |source| Error::System { doing: "cannot ask", source };
    let mut printer = Printer::new(Format::Text, helper.style.clone(), anstream::stderr());
    printer.document(&Answer::Freed(freed)).map_err(asking)?;
    if !io::stdin().is_terminal() {
        return Err(Error::Unconfirmed);
    }
    anstream::eprint!("Go on? [y/N] ");
    io::stderr().flush().map_err(asking)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(asking)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(Consent::Yes);
    }
    stderr::say("nothing was done");
    Ok(Consent::No)
}
