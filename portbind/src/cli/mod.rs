//! The command line: one file a verb, each with its arguments and its run.

pub mod doctor;
pub mod trace;
pub mod values;

use clap::{Parser, Subcommand};

use crate::error::{Error, ExitStatus};

/// Says who holds the port when a program fails with "Address already in use".
#[derive(Debug, Parser)]
#[command(name = "portbind", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell every refused bind on the machine, and who held the port at that instant.
    Trace(trace::Args),
    /// Tell what this kernel and these privileges allow, and why not.
    Doctor(doctor::Args),
}

const EXIT_STATUS: &str = "\
Exit status: 0 all went as asked; 1 something failed; 2 a word on the command line is wrong;
             3 a capability is missing; 4 this kernel cannot do what was asked.";

impl Cli {
    /// Runs the verb.
    ///
    /// # Errors
    /// Whatever kept it from its job, with what to do next.
    pub fn run(&self) -> Result<ExitStatus, Error> {
        match &self.command {
            Command::Trace(args) => trace::run(args),
            Command::Doctor(args) => doctor::run(args),
        }
    }
}
