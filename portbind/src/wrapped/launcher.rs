//! The process that becomes a command: start it, hold it back, release it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};

use nix::sys::signal::Signal;
use rustix::fs::{MemfdFlags, SealFlags, SeekFrom, fcntl_add_seals, memfd_create, seek};
use rustix::io::ioctl_fionbio;
use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};

use super::error::Error;
use super::identity::Identity;
use super::launch;
use crate::host::identity::UserIds;
use crate::host::invoker::{self, Environment};
use crate::host::reexec::{lend, reexec};
use crate::sys::signals;

/// A launcher that has not been started.
#[derive(Debug)]
pub(crate) struct Launcher {
    command: Command,
    gate: Gate,
    /// Descriptors that stay open until the launcher has inherited them.
    lent: (PipeReader, OwnedFd),
}

/// Holds a launcher back. Dropping the gate releases the launcher, and so does the end of this process.
#[derive(Debug)]
pub(crate) struct Gate(PipeWriter);

impl Gate {
    /// Lets the launcher become the command.
    pub(crate) fn open(mut self) {
        // The end of the pipe follows and means the same, so this write may fail.
        let _written = self.0.write_all(b"\n");
    }
}

impl Launcher {
    /// The launcher of `command`, which will have these signals `unblocked`.
    ///
    /// # Errors
    /// The error of the kernel, such as a lack of descriptors.
    pub(crate) fn new(
        command: &[OsString],
        identity: &Identity,
        unblocked: impl Iterator<Item = Signal>,
    ) -> io::Result<Self> {
        let (held, gate) = io::pipe()?;
        let environment = packed(&identity.environment)?;
        let mut launcher = reexec(launch::VERB);
        lend(&mut launcher, "gate", &held)?;
        lend(&mut launcher, "environment", &environment)?;
        launcher.args(unblocked.map(|signal| format!("--unblock={}", signal.as_str())));
        launcher.args(signals::ignored_by_caller().iter().map(|signal| format!("--ignore={signal}")));
        launcher.args(identity.becomes.iter().flat_map(UserIds::words));
        launcher.args(identity.umask.map(|mask| format!("--umask={mask}"))).arg("--").args(command);
        Ok(Self { command: launcher, gate: Gate(gate), lent: (held, environment) })
    }

    /// Starts the launcher.
    ///
    /// # Errors
    /// If this program cannot execute itself again; the launcher does not exist then.
    pub(crate) fn start(self) -> io::Result<(Child, Gate)> {
        let Self { mut command, gate, lent } = self;
        let process = command.spawn()?;
        drop(lent);
        Ok((process, gate))
    }

    /// Executes the command in this process, if no launcher can be started. Returns only if that fails.
    pub(crate) fn replace_this_process(command: &[OsString], identity: &Identity) -> Error {
        match launch::become_user(identity.becomes.as_ref(), identity.umask) {
            Ok(()) => launch::exec(command, identity.environment.clone(), signals::ignored_by_caller()),
            Err(error) => error.into(),
        }
    }
}

/// An environment in the format of `/proc/PID/environ`, in a file that a launcher can read even after this process has
/// ended.
fn packed(environment: &Environment) -> io::Result<OwnedFd> {
    let bytes = invoker::packed(environment);
    sealed(&bytes).or_else(|_| in_pipe(&bytes))
}

/// A memory file that no process can change. The limit on file sizes applies to it, too.
fn sealed(bytes: &[u8]) -> io::Result<OwnedFd> {
    let memory = memfd_create("environment", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = File::from(memory);
    file.write_all(bytes)?;
    seek(&file, SeekFrom::Start(0))?;
    fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(file.into())
}

/// A pipe just large enough for the bytes, with its write end closed.
fn in_pipe(bytes: &[u8]) -> io::Result<OwnedFd> {
    let (reader, mut writer) = io::pipe()?;
    if bytes.len() > fcntl_getpipe_size(&writer)? {
        fcntl_setpipe_size(&writer, bytes.len())?;
    }
    // Too many bytes are an error instead of a wait: no process reads the pipe before all is written.
    ioctl_fionbio(&writer, true)?;
    writer.write_all(bytes)?;
    Ok(reader.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn an_environment_arrives_as_it_was_and_cannot_be_changed() {
        let bytes = "a=b\n\u{202e}c".to_owned() + &"x".repeat(200_000);
        let environment: Environment =
            [("EMPTY".into(), "".into()), ("LD_PRELOAD".into(), bytes.into())].into();
        let bytes = invoker::packed(&environment);
        for descriptor in [sealed(&bytes).unwrap(), in_pipe(&bytes).unwrap(), packed(&environment).unwrap()] {
            let mut file = File::from(descriptor);
            let mut read = Vec::new();
            file.read_to_end(&mut read).unwrap();
            assert_eq!(invoker::environment(&read), environment);
            assert!(file.write_all(b"X=1").is_err());
            assert!(file.set_len(0).is_err());
        }
    }
}
