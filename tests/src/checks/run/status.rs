//! The exit status of `portbind run`.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::wrapped::{Recording, wrapped};
use crate::checks::setting::Setting;
use crate::checks::support::{exited, says};
use crate::programs;
use crate::tracer::Tracer;

/// Like timeout(1): the command's own status, 128 plus the signal, 125, 126, 127.
pub(in crate::checks) fn exit_statuses(setting: Setting<'_>) -> anyhow::Result<()> {
    for (subject, status) in [
        (["exit", "0"], 0),
        (["exit", "3"], 3),
        (["exit", "255"], 255),
        (["kill", "9"], 137),
        (["kill", "15"], 143),
    ] {
        let ended = Tracer::spawn(&mut wrapped(setting, &[], subject)?)?.end()?;
        exited(&ended, status).with_context(|| subject.join(" "))?;
        says(&ended, "no bind was refused")?;
    }
    let run = |arguments: &[&str]| {
        let mut command = Command::new(setting.portbind);
        Tracer::spawn(command.args(["run", "--backend", setting.backend]).args(arguments))?.end()
    };
    for (arguments, status, word) in [
        (&["--", "/no-such-program"][..], 127, "/no-such-program"),
        (&["--", "no-such-program-on-the-path"], 127, "no-such-program-on-the-path"),
        (&["--", "/proc/self/status"], 126, "/proc/self/status"),
        (&["--no-such-option", "--", "true"], 125, "--no-such-option"),
        (&[], 125, "COMMAND"),
        (&["--record", "/no-such-folder/events", "--", "true"], 125, "/no-such-folder/events"),
        (&["-u", "no-such-user", "--", "true"], 125, "no-such-user"),
    ] {
        let ended = run(arguments)?;
        exited(&ended, status).with_context(|| arguments.join(" "))?;
        says(&ended, word)?;
        ensure!(ended.stdout.is_empty(), "{arguments:?} prints on standard output");
    }
    Ok(())
}

/// Without the rights to trace, portbind reports this and the command does not run, unless `--optional` is given.
pub(in crate::checks) fn without_tracing(setting: Setting<'_>) -> anyhow::Result<()> {
    let attempt = |options: &[&str]| {
        let binary = std::fs::File::open(setting.portbind)?;
        rustix::io::fcntl_setfd(&binary, rustix::io::FdFlags::empty())?;
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&binary));
        let mut command = Command::new(path);
        command
            .arg("run")
            .args(options)
            .args(["--", programs::SH.path, "-c", "exit 9"])
            .uid(65_534)
            .gid(65_534);
        Tracer::spawn(&mut command)?.end()
    };
    let ended = attempt(&[])?;
    exited(&ended, 125)?;
    says(&ended, "CAP_")?;
    let ended = attempt(&["--optional"])?;
    exited(&ended, 9)?;
    says(&ended, "without being followed")?;
    let nested = |options: &[&str]| {
        let mut command = programs::UNSHARE.command()?;
        command.args(["--pid", "--fork", "--mount-proc"]).arg(setting.portbind).arg("run").args(options);
        Tracer::spawn(command.args(["--", programs::SH.path, "-c", "exit 9"]))?.end()
    };
    let ended = nested(&[])?;
    exited(&ended, 125)?;
    says(&ended, "--pid=host")?;
    exited(&nested(&["--optional"])?, 9)?;
    let recording = Recording::new("nothing");
    let ended = Tracer::spawn(&mut wrapped(setting, &["-q", &recording.option()], ["exit", "0"])?)?.end()?;
    ensure!(ended.stderr.is_empty(), "-q says {:?}", ended.stderr);
    ensure!(recording.lines("end")?.len() == 1, "no end in the recording");
    Ok(())
}
