//! The surroundings of the tests are the same whoever runs them: locale, search path, variables that programs listen
//! to, mask of files, open files, signals, network. What has to hold in others is tested with others.

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

/// Open files of one process.
const FILES: u64 = 65_536;
/// What stays of the caller's variables. Tests hold in every time zone, as the machine itself is in one.
const KEPT: [&str; 2] = ["RUST_BACKTRACE", "TZ"];
/// What everybody finds. Debian's C library has this locale built in.
const GIVEN: [(&str, &str); 2] = [("LC_ALL", "C.UTF-8"), ("PATH", PATH)];

/// Has this process, and those that it starts, find the surroundings of the tests. With other variables than these it
/// becomes itself once more. Returns why it is in a network namespace of its own, if it is.
///
/// # Errors
///
/// If the kernel refuses what any root may do.
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

/// The variables that tests have where these are found.
fn variables(found: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
    let kept = found.iter().filter(|(name, _)| KEPT.iter().any(|kept| OsStr::new(kept) == *name));
    let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
    GIVEN.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).chain(kept).collect()
}

/// Neither so few that tests need more, nor so many that programs which close all of them take long. Who may not raise
/// the limit has what there is.
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
        // Or else the program would start itself for ever.
        assert_eq!(variables(&settled), settled);
    }
}
