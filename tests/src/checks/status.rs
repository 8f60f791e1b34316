//! The output on standard error for each level of verbosity.

use anyhow::ensure;
use rustix::process::Signal;

use super::setting::Setting;
use super::support::{ContestedPort, SOON, exited, says};
use crate::actor::Protocol;
use crate::tracer::Tracer;

/// `-q`: no output.
pub(super) fn quiet(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut command = std::process::Command::new(setting.portbind);
    command.args(["trace", "--backend", setting.backend, "-q", "--timeout", "0.2"]);
    let ended = Tracer::spawn(&mut command)?.end()?;
    exited(&ended, 0)?;
    ensure!(ended.stderr.is_empty(), "it was to be quiet:\n{}", ended.stderr.join("\n"));
    Ok(())
}

/// `-vv`: a debug line for each bind, with the socket's fields as the layout reads them.
pub(super) fn debug_lines(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-vv", "-o", "json"])?;
    let pid = contested.refuse("binder", 1)?;
    let wanted = format!("of thread {pid} returned -98: ");
    let is_wanted = |line: &String| {
        line.starts_with("portbind: kernel: bind(fd ")
            && line.contains(&wanted)
            && line.contains(" family 2 protocol 6 state 7 port 0 ")
    };
    tracer.stderr.wait(SOON, |lines| lines.iter().any(is_wanted));
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    ensure!(ended.stderr.iter().any(is_wanted), "no debug line for {pid}:\n{}", ended.stderr.join("\n"));
    Ok(())
}

/// `-v`: the attempts, and no debug lines.
pub(super) fn verbose(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-v", "-o", "json"])?;
    contested.refuse("binder", 1)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    says(&ended, &format!("tracing with {}", setting.backend))?;
    ensure!(
        !ended.stderr.iter().any(|line| line.starts_with("portbind: kernel: ")),
        "debug lines without -vv"
    );
    Ok(())
}
