//! Errors for a wrong command line, and for a user without privileges.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::ensure;

use super::setting::Setting;
use super::support::{exited, says};
use crate::tracer::{Ended, Tracer};

/// A user without privileges.
const NOBODY: u32 = 65_534;

/// Runs portbind as a user without privileges.
pub(super) fn as_nobody(setting: Setting<'_>, arguments: &[&str]) -> anyhow::Result<Ended> {
    // Opened here and run there, because the other user may lack access to the folders above it.
    let binary = std::fs::File::open(setting.portbind)?;
    rustix::io::fcntl_setfd(&binary, rustix::io::FdFlags::empty())?;
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&binary));
    let mut command = Command::new(path);
    command.args(arguments).uid(NOBODY).gid(NOBODY);
    Tracer::spawn(&mut command)?.end()
}

/// Without root: exit code 3, and one sentence with the missing capabilities.
pub(super) fn without_root(setting: Setting<'_>) -> anyhow::Result<()> {
    let ended = as_nobody(setting, &["trace", "--backend", setting.backend])?;
    exited(&ended, 3)?;
    says(&ended, "CAP_")?;
    ensure!(ended.stderr.len() <= 3, "more than one sentence:\n{}", ended.stderr.join("\n"));
    Ok(())
}

/// A wrong command line: exit code 2, and the error contains the wrong word.
pub(super) fn usage_errors(setting: Setting<'_>) -> anyhow::Result<()> {
    let wrong: [(&[&str], &str); 8] = [
        (&["trace", "--no-such-option"], "--no-such-option"),
        (&["trace", "-P", "80,eighty"], "eighty"),
        (&["trace", "-P", "70000"], "70000"),
        (&["trace", "-o", "yaml"], "yaml"),
        (&["trace", "-e", "ENOSUCHERROR"], "ENOSUCHERROR"),
        (&["trace", "--backend", "magic"], "magic"),
        (&["report", "/no-such-file"], "/no-such-file"),
        (&["report", "/dev/null", "--html", "/no-such-folder/page"], "/no-such-folder/page"),
    ];
    for (arguments, word) in wrong {
        let ended = Tracer::spawn(Command::new(setting.portbind).args(arguments))?.end()?;
        exited(&ended, 2).map_err(|error| error.context(arguments.join(" ")))?;
        says(&ended, word)?;
        ensure!(ended.stdout.is_empty(), "{arguments:?} prints on standard output");
    }
    Ok(())
}

/// A file that cannot be written: exit code 2, as for other wrong words of the command line, and the error contains its
/// name.
pub(super) fn unwritable_output(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut command = Command::new(setting.portbind);
    command.args(["trace", "--backend", setting.backend, "--output", "/no-such-folder/events"]);
    let ended = Tracer::spawn(&mut command)?.end()?;
    exited(&ended, 2)?;
    says(&ended, "/no-such-folder/events")
}
