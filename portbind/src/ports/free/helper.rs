//! The helper process that takes one step of a removal with the rights of another user.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use crate::host::Failed;
use crate::host::identity::UserIds;
use crate::host::stale::{Identity, Spot, Step, Taken};

/// The name of the hidden verb.
pub(crate) const VERB: &str = "__remove";

/// Arguments of the helper process: one step in the folder that is its standard input.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The user to become.
    #[command(flatten)]
    user: UserIds,
    /// The step.
    #[arg(long, value_enum)]
    step: Word,
    /// Device and inode number of the file.
    #[arg(long, value_delimiter = ',')]
    file: Vec<u64>,
    /// Its name in the folder.
    #[arg(last = true, required = true)]
    name: OsString,
}

/// A step, as a command-line value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Word {
    /// [`Step::Remove`].
    Remove,
    /// [`Step::Discard`].
    Discard,
    /// [`Step::Restore`].
    Restore,
}

/// Runs the hidden verb, and writes the step's result to standard output.
///
/// # Errors
/// If the process cannot switch to the user, or cannot write the result.
pub(crate) fn run(args: &Args) -> Result<(), Failed> {
    let become_user = Failed::at("cannot become the owner of the folder");
    args.user.take().map_err(become_user)?;
    let step = match (args.step, args.file.as_slice()) {
        (Word::Remove, &[device, inode]) => Step::Remove(Identity { device, inode }),
        (Word::Discard, &[device, inode]) => Step::Discard(Identity { device, inode }),
        (Word::Restore, []) => Step::Restore,
        _ => return Err(Failed::at("cannot take the step")(io::ErrorKind::InvalidInput)),
    };
    let folder = io::stdin().as_fd().try_clone_to_owned().map_err(Failed::at("cannot take the folder"))?;
    let said = match Spot::inside(folder, &args.name).take(step) {
        Ok(taken) => word(taken).to_owned(),
        Err(error) => error.raw_os_error().unwrap_or_default().to_string(),
    };
    writeln!(io::stdout(), "{said}").map_err(Failed::at("cannot answer"))
}

/// The result of a step, as the helper process writes it.
pub(super) const fn word(taken: Taken) -> &'static str {
    match taken {
        Taken::Done => "done",
        Taken::Gone => "gone",
        Taken::Replaced => "replaced",
        Taken::Occupied => "occupied",
    }
}
