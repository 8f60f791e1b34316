//! The state that the command inherits from its caller, and the signals that it receives.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use rustix::process::{Signal, getpriority_process};
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};

use super::wrapped::{test_program, wrapped};
use crate::checks::setting::Setting;
use crate::checks::support::SOON;
use crate::tracer::Tracer;
use crate::wrapped_command::SIGNALLED;

/// Variables that would disturb a careless wrapper.
const VARIABLES: [(&str, &str); 4] =
    [("PORTBIND_TEST", "a=b\n\u{202e}c"), ("EMPTY", ""), ("PATH", "/nowhere:/bin"), ("SUDO_COMMAND", "no")];

/// In unusual circumstances, the command inherits the same state as without portbind.
pub(in crate::checks) fn nothing_is_lost(setting: Setting<'_>) -> anyhow::Result<()> {
    let state = |command: &Command| -> anyhow::Result<String> {
        let mut peculiar = Command::new(test_program()?);
        peculiar.args(["wrapped", "peculiar", "--"]).arg(command.get_program()).args(command.get_args());
        peculiar.envs(VARIABLES).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = peculiar.output()?;
        ensure!(output.status.success(), "{command:?}: {}", output.status);
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let bare = state(Command::new(test_program()?).args(["wrapped", "state"]))?;
    // The caller may have a nice value already; the maximum is 19 (sched(7)).
    let nice = format!("nice {}\n", (getpriority_process(None)? + 3).min(19));
    ensure!(
        bare.contains("Umask 0137") && bare.contains(&nice) && bare.contains("ignored [13, 17]"),
        "the circumstances are usual:\n{bare}"
    );
    compare(&bare, &state(&wrapped(setting, &["-q"], ["state"])?)?)
}

/// The same on a terminal.
pub(in crate::checks) fn nothing_is_lost_in_a_terminal(setting: Setting<'_>) -> anyhow::Result<()> {
    let state = |command: &Command| -> anyhow::Result<String> {
        let (mut session, _keys) = in_terminal(command)?;
        let lines = session.rest();
        session.process.wait()?;
        // Each run has a separate session and terminal.
        let shared = |line: &&String| {
            !["session", "pgrp", "foreground", "tty ", "descriptors"]
                .iter()
                .any(|word| line.starts_with(word))
        };
        Ok(lines.iter().filter(shared).cloned().collect::<Vec<_>>().join("\n"))
    };
    let bare = state(Command::new(test_program()?).args(["wrapped", "state"]))?;
    ensure!(bare.contains("terminals [true, true, true]"), "there is no terminal:\n{bare}");
    compare(&bare, &state(&wrapped(setting, &["-q"], ["state"])?)?)
}

fn compare(bare: &str, wrapped: &str) -> anyhow::Result<()> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (bare, wrapped) = (lines(bare), lines(wrapped));
    let lost: Vec<_> = bare.difference(&wrapped).collect();
    let new: Vec<_> = wrapped.difference(&bare).collect();
    ensure!(lost.is_empty() && new.is_empty(), "without portbind {lost:#?}, with it {new:#?}");
    Ok(())
}

/// Each signal sent to portbind arrives once.
pub(in crate::checks) fn signals(setting: Setting<'_>) -> anyhow::Result<()> {
    for (signal, name) in [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::TERM, "SIGTERM"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::USR2, "SIGUSR2"),
    ] {
        let run = Tracer::spawn(&mut wrapped(setting, &[], ["signals"])?)?;
        ensure!(run.stdout.wait(SOON, |lines| lines.iter().any(|line| line == "ready")), "it is not ready");
        let ended = run.stop(signal)?;
        ensure!(ended.status.code() == Some(i32::from(SIGNALLED)), "{name}: {}", ended.status);
        ensure!(ended.stdout == ["ready", name], "{name}: {:?}", ended.stdout);
    }
    Ok(())
}

/// Ctrl-C reaches the command once: from the terminal, not also from portbind.
pub(in crate::checks) fn interrupted(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut session, mut keys) = in_terminal(&wrapped(setting, &["-q"], ["signals"])?)?;
    ensure!(session.next().as_deref() == Some("ready"), "it is not ready");
    keys.write_all(b"\x03")?;
    let said = session.next().context("the terminal was closed")?;
    // The terminal echoes the key.
    ensure!(said.trim_start_matches("^C") == "SIGINT", "Ctrl-C: {said}");
    let rest = session.rest();
    ensure!(rest.is_empty(), "and then: {rest:?}");
    ensure!(session.process.wait()?.code() == Some(i32::from(SIGNALLED)), "it ended in another way");
    Ok(())
}

/// A command that runs on a terminal, and its output.
struct InTerminal {
    process: std::process::Child,
    lines: std::io::Lines<BufReader<File>>,
}

impl InTerminal {
    /// The next line; `None` when all processes have closed the terminal.
    fn next(&mut self) -> Option<String> {
        let line = self.lines.next()?.ok()?;
        Some(line.trim_end_matches('\r').to_owned())
    }

    /// All remaining lines.
    fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next()).collect()
    }
}

/// Runs a command on a separate terminal; returns also the terminal's input.
fn in_terminal(command: &Command) -> anyhow::Result<(InTerminal, File)> {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    unlockpt(&terminal)?;
    let path = ptsname(terminal.as_fd(), Vec::new())?.into_string()?;
    let mut inside = Command::new(test_program()?);
    inside.args(["wrapped", "terminal", &path, "--"]).arg(command.get_program()).args(command.get_args());
    let process = inside.envs(VARIABLES).spawn()?;
    let keys = File::from(terminal);
    Ok((InTerminal { process, lines: BufReader::new(keys.try_clone()?).lines() }, keys))
}
