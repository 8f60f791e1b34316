//! The request for confirmation.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::args::Args;
use crate::cli::answering::Answering;
use crate::cli::error::Error;
use crate::cli::stderr;
use crate::host::Failed;
use crate::output::answer::Answer;
use crate::output::{Format, Printer};
use crate::ports::{Consent, Freed};

/// Asks for confirmation, unless `--yes` was given.
pub(super) fn consent(args: &Args, answering: &Answering, freed: &Freed) -> Result<Consent, Error> {
    if args.yes {
        return Ok(Consent::Yes);
    }
    let asking = Failed::at("cannot ask");
    let mut printer = Printer::new(Format::Text, answering.style.clone(), anstream::stderr());
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
