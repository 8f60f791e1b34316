//! The rights that a run needs to start, and the ones it gives up after the start.

use super::error::Error;
use crate::host::confinement::{Purpose, confine};
use crate::host::{Failed, Privileges, priority};

/// Checks that this process may trace, and reports through `say` which privileges are missing but not required.
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

/// Gives up the rights that a run no longer needs: from here on it loads no program, opens no file for writing and
/// starts no process. Reports confinement that the kernel cannot apply; with `tells`, also the rights it keeps.
pub(super) fn give_up(purpose: Purpose, tells: bool, mut say: impl FnMut(&str)) -> Result<(), Error> {
    // Not earlier: processes started before, above all the command of `run`, must not inherit the priority.
    priority::raise();
    let left = confine(purpose).map_err(Failed::at("cannot give up privileges"))?;
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
