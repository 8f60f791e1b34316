//! The rights that a run needs to begin, and those that it gives up when it has begun.

use super::error::Error;
use crate::host::Privileges;
use crate::host::confinement::{Purpose, confine};
use crate::host::priority;

/// Checks that this process may trace. What it has to do without is said.
pub(super) fn require(say: impl FnOnce(&str)) -> Result<(), Error> {
    let privileges = Privileges::read();
    let missing = privileges.missing();
    if !missing.is_empty() {
        return Err(Error::Privileges(missing));
    }
    let missing = privileges.missing_for_processes();
    if !missing.is_empty() {
        say(&format!("processes of others are described in part: {} missing", missing.join(" and ")));
    }
    Ok(())
}

/// Gives up what a run does not need: from here on no program is loaded, no file is opened for writing, no process is
/// started. What the kernel cannot do for it is said; with `tells`, what is kept as well.
pub(super) fn give_up(purpose: Purpose, tells: bool, mut say: impl FnMut(&str)) -> Result<(), Error> {
    // Not before: what was started until now, the command of `run` above all, is not to have it.
    priority::raise();
    let doing = "cannot give up privileges";
    let left = confine(purpose).map_err(|source| Error::System { doing, source })?;
    if let Some(reason) = left.unfiltered {
        say(&format!("system calls are not filtered: {reason}"));
    }
    if tells {
        let kept =
            if left.capabilities.is_empty() { "none".to_owned() } else { left.capabilities.join(", ") };
        say(&format!("capabilities kept: {kept}"));
    }
    Ok(())
}
