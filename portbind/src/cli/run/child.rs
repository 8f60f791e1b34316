//! The wrapped command: started stopped, let go when it is followed, waited for; signals are passed on.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{self, Command};

use nix::sys::signal::{SigSet, SigmaskHow, Signal as NixSignal};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, pidfd_send_signal, waitpid,
};
use tokio::io::unix::AsyncFd;

use super::identity::Identity;
use crate::cli::launch;
use crate::diagnosis::event::Ending;
use crate::sys::poll;

/// Signals that are passed on when somebody sends them to portbind.
pub(super) const PASSED_ON: [NixSignal; 6] = [
    NixSignal::SIGHUP,
    NixSignal::SIGINT,
    NixSignal::SIGQUIT,
    NixSignal::SIGTERM,
    NixSignal::SIGUSR1,
    NixSignal::SIGUSR2,
];

/// `si_code` of a signal that the kernel sends (include/uapi/asm-generic/siginfo.h): from a terminal it goes to
/// the whole foreground process group, the command included.
const SI_KERNEL: i32 = 0x80;

/// The command, stopped at first.
#[derive(Debug)]
pub(super) struct Child {
    process: process::Child,
    pidfd: AsyncFd<OwnedFd>,
    signals: AsyncFd<SignalFd>,
}

impl Child {
    /// Starts this program as the launcher of `command`, which stops at once.
    pub(super) fn start(command: &[OsString], identity: &Identity) -> io::Result<Self> {
        let caught: SigSet = PASSED_ON.into_iter().collect();
        let blocked_before = caught.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let unblocked = PASSED_ON.into_iter().filter(|signal| !blocked_before.contains(*signal));
        let signals = SignalFd::with_flags(&caught, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let process = launcher(command, identity, unblocked).spawn()?;
        let pid = Pid::from_child(&process);
        waitpid(Some(pid), WaitOptions::UNTRACED)?;
        let pidfd = poll::watch(pidfd_open(pid, PidfdFlags::NONBLOCK)?)?;
        Ok(Self { process, pidfd, signals: poll::watch(signals)? })
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Lets it become the command.
    pub(super) fn let_go(&self) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::CONT)?)
    }

    /// Waits for its end, and passes signals on until then.
    pub(super) async fn ended(&mut self) {
        loop {
            tokio::select! {
                biased;
                _ = self.pidfd.readable() => return,
                ready = self.signals.readable() => {
                    let Ok(mut ready) = ready else { return };
                    while let Ok(Some(signal)) = ready.get_inner().read_signal() {
                        pass_on(self.pidfd.get_ref(), &signal);
                    }
                    ready.clear_ready();
                }
            }
        }
    }

    /// How it ended.
    pub(super) fn ending(&mut self) -> io::Result<Ending> {
        let status = self.process.wait()?;
        Ok(Ending::of_wait_status(status.into_raw().cast_unsigned()))
    }
}

fn pass_on(to: &OwnedFd, signal: &siginfo) {
    let number = i32::try_from(signal.ssi_signo).ok().and_then(Signal::from_named_raw);
    if let Some(number) = number.filter(|_| signal.ssi_code != SI_KERNEL) {
        // It may have ended a moment ago.
        let _sent = pidfd_send_signal(to, number);
    }
}

/// The launcher of a command, which is to have these signals `unblocked`; it stops at once.
pub(super) fn launcher(
    command: &[OsString],
    identity: &Identity,
    unblocked: impl Iterator<Item = NixSignal>,
) -> Command {
    let mut launcher = Command::new("/proc/self/exe");
    launcher.arg(launch::VERB);
    launcher.args(unblocked.map(|signal| format!("--unblock={}", signal.as_str())));
    if let Some(becomes) = &identity.becomes {
        launcher.args(["--uid".to_owned(), identity.uid.to_string()]);
        launcher.args(["--gid".to_owned(), becomes.gid.to_string()]);
        let groups: Vec<_> = becomes.groups.iter().map(u32::to_string).collect();
        if !groups.is_empty() {
            launcher.args(["--groups".to_owned(), groups.join(",")]);
        }
    }
    if let Some(umask) = identity.umask {
        launcher.args(["--umask".to_owned(), umask.to_string()]);
    }
    launcher.arg("--").args(command).env_clear().envs(&identity.environment);
    launcher
}
