//! Gives the tests the same surroundings for every caller: locale, search path, variables that programs read, file mode
//! mask, open files, signals, network. Behaviour in other surroundings has separate tests.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

use crate::programs::PATH;
use crate::sys;

mod network;

/// Limit of open files per process.
const FILES: u64 = 65_536;
/// Variables that are kept from the caller. Tests must pass in every time zone.
const KEPT: [&str; 2] = ["RUST_BACKTRACE", "TZ"];
/// Variables that are set for all tests. This locale is built into Debian's C library.
const GIVEN: [(&str, &str); 2] = [("LC_ALL", "C.UTF-8"), ("PATH", PATH)];

/// Gives this process and its children the surroundings of the tests. If the variables differ, executes this program
/// again. Returns why the process is in a separate network namespace, if it is.
///
/// # Errors
///
/// If the kernel refuses calls that root is normally allowed.
pub fn settle() -> anyhow::Result<Option<String>> {
    umask(Mode::from_raw_mode(0o022));
    sys::usual_signals().context("signals")?;
    allow_files().context("the limit of open files")?;
    let found: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    let wanted = variables(&found);
    if found == wanted {
        return network::settle();
    }
    let program = std::env::current_exe()?;
    let mut command = Command::new(&program);
    command.args(std::env::args_os().skip(1)).env_clear().envs(wanted);
    Err(command.exec()).with_context(|| program.display().to_string())
}

/// The variables of the tests, given the found ones.
fn variables(found: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
    let kept = found.iter().filter(|(name, _)| KEPT.iter().any(|kept| OsStr::new(kept) == *name));
    let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
    GIVEN.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).chain(kept).collect()
}

/// Sets the limit high enough for the tests, and low enough that programs which close all descriptors are fast. Without
/// the right to raise the limit, keeps it.
fn allow_files() -> anyhow::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if maximum.is_none_or(|maximum| maximum >= FILES) {
        return Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(FILES), maximum })?);
    }
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(FILES), maximum: Some(FILES) });
    raised.or_else(|_| Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_variables_of_the_caller_few_stay() {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<OsString, OsString> {
            pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
        };
        let found = map(&[
            ("PATH", "/home/me/bin"),
            ("LANG", "de_DE.UTF-8"),
            ("LC_ALL", "tr_TR.UTF-8"),
            ("TZ", "Asia/Kathmandu"),
            ("GITHUB_ACTIONS", "true"),
            ("CLICOLOR_FORCE", "1"),
            ("TMPDIR", "/root/my tmp"),
            ("PYTHONPATH", "/opt"),
        ]);
        let settled = variables(&found);
        assert_eq!(settled, map(&[("LC_ALL", "C.UTF-8"), ("PATH", PATH), ("TZ", "Asia/Kathmandu")]));
        // Otherwise the program would execute itself for ever.
        assert_eq!(variables(&settled), settled);
    }
}
