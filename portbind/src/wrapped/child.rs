//! The wrapped command as a child process: start it, release it once it is traced, wait for it, and pass signals on.

use std::ffi::OsString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;
use std::{io, process, thread};

use nix::sys::signal::{SigSet, SigmaskHow, Signal as NixSignal};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::unix::AsyncFd;

use super::identity::Identity;
use super::launcher::{Gate, Launcher};
use crate::event::Ending;
use crate::sys::{poll as runtime, signals};

/// Signals that are passed on when another process sends them to portbind.
const PASSED_ON: [NixSignal; 6] = [
    NixSignal::SIGHUP,
    NixSignal::SIGINT,
    NixSignal::SIGQUIT,
    NixSignal::SIGTERM,
    NixSignal::SIGUSR1,
    NixSignal::SIGUSR2,
];

/// All signals that portbind blocks while it runs a command.
pub(crate) fn blocked() -> impl Iterator<Item = NixSignal> {
    PASSED_ON.into_iter().chain([NixSignal::SIGCHLD])
}

/// The first of these signals after the end of the command shortens what is left to do, and the second ends portbind.
const ENDING: [NixSignal; 4] = [NixSignal::SIGHUP, NixSignal::SIGINT, NixSignal::SIGQUIT, NixSignal::SIGTERM];

/// `si_code` of a signal from the kernel (include/uapi/asm-generic/siginfo.h). A terminal sends such a signal to the
/// whole foreground process group, which includes the command.
const SI_KERNEL: i32 = 0x80;

/// How often portbind checks whether the command has ended, even without a notification.
const SURE: Duration = Duration::from_secs(1);

/// The command, held back at first. It stays this process's child until its status is read, so that its pid is not
/// reused.
#[derive(Debug)]
pub(crate) struct Child {
    process: process::Child,
    gate: Option<Gate>,
    ending: Option<Ending>,
    /// Receives the [`blocked`] signals.
    signals: SignalFd,
}

impl Child {
    /// Starts this program as the launcher of `command`; the launcher waits until it is released.
    ///
    /// # Errors
    /// The error of the kernel; the launcher does not exist then. Everything else that can fail is done before the
    /// start.
    pub(crate) fn start(command: &[OsString], identity: &Identity) -> io::Result<Self> {
        let caught: SigSet = blocked().collect();
        let signals = SignalFd::with_flags(&caught, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let blocked_before = caught.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let unblocked = caught.iter().filter(|signal| !blocked_before.contains(*signal));
        let started = signals::await_children()
            .and_then(|()| Launcher::new(command, identity, unblocked))
            .and_then(Launcher::start);
        let (process, gate) = started.inspect_err(|_| {
            // If the caller runs the command without a child, the command must receive the signals. This call fails for
            // no mask.
            let _restored = blocked_before.thread_set_mask();
        })?;
        Ok(Self { process, gate: Some(gate), ending: None, signals })
    }

    /// The pid of the command.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Lets the launcher become the command.
    pub(crate) fn let_go(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.open();
        }
    }

    /// A descriptor that becomes ready when a signal or the end of the command arrives.
    ///
    /// # Errors
    /// If the runtime cannot poll the descriptor.
    pub(crate) fn watch(&self) -> io::Result<AsyncFd<OwnedFd>> {
        runtime::watch(self.signals.as_fd().try_clone_to_owned()?)
    }

    /// Waits until the command has ended, and passes signals on until then.
    pub(crate) async fn ended(&mut self, watched: &AsyncFd<OwnedFd>) {
        while self.try_wait().is_none() {
            tokio::select! {
                biased;
                // Anything that arrives from here on makes the descriptor ready again.
                Ok(mut ready) = watched.readable() => ready.clear_ready(),
                () = tokio::time::sleep(SURE) => {}
            }
        }
    }

    /// Drops the signals that arrived before the command ended: a terminal has sent them to the command, too.
    pub(crate) fn forget_signals(&self) {
        while let Ok(Some(_)) = self.signals.read_signal() {}
    }

    /// Waits for a signal that asks portbind to end, after the command has ended. The next one ends portbind at once.
    pub(crate) async fn asked_to_end(&self, watched: &AsyncFd<OwnedFd>) {
        while !self.is_asked_to_end() {
            // Without notifications, no signal is seen any more.
            match watched.readable().await {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => std::future::pending().await,
            }
        }
        let ending: SigSet = ENDING.into_iter().collect();
        // The call fails for no mask.
        let _unblocked = ending.thread_unblock();
    }

    fn is_asked_to_end(&self) -> bool {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            if ENDING.iter().any(|ending| u32::try_from(*ending as i32) == Ok(signal.ssi_signo)) {
                return true;
            }
        }
        false
    }

    /// Releases the command if it is still held back, waits until it has ended, passes signals on until then, and
    /// returns how it ended. Works without a runtime.
    ///
    /// # Errors
    /// If another waiter has read the status, which is then lost.
    pub(crate) fn wait(&mut self) -> io::Result<Ending> {
        self.let_go();
        loop {
            match self.try_wait() {
                Some(ending) => return ending,
                None => self.pause(),
            }
        }
    }

    /// Passes on pending signals, and returns how the command ended, once it has.
    fn try_wait(&mut self) -> Option<io::Result<Ending>> {
        if let Some(ending) = self.ending {
            return Some(Ok(ending));
        }
        // Signals first: a SIGCHLD that arrives after this is still to be read.
        self.pass_on();
        match self.process.try_wait() {
            Ok(Some(status)) => {
                self.ending = Some(Ending::of_wait_status(status.into_raw().cast_unsigned()));
                self.ending.map(Ok)
            }
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Some(Err(error)),
            // The command still runs, whatever else went wrong.
            Ok(None) | Err(_) => None,
        }
    }

    /// Waits for a signal, with a timeout.
    fn pause(&self) {
        let patience = Timespec::try_from(SURE).ok();
        if poll(&mut [PollFd::new(&self.signals, PollFlags::IN)], patience.as_ref()).is_err() {
            thread::sleep(SURE);
        }
    }

    fn pass_on(&self) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            if let Some(signal) = for_command(&signal) {
                // The command may have just ended.
                let _sent = kill_process(Pid::from_child(&self.process), signal);
            }
        }
    }
}

/// The signal, if it is to be passed on.
fn for_command(signal: &siginfo) -> Option<Signal> {
    let number = i32::try_from(signal.ssi_signo).ok().filter(|_| signal.ssi_code != SI_KERNEL)?;
    Signal::from_named_raw(number).filter(|signal| *signal != Signal::CHILD)
}
