//! The wrapped command: started, let go when it is followed, waited for; signals are passed on.

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

/// Signals that are passed on when somebody sends them to portbind.
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

/// `si_code` of a signal that the kernel sends (include/uapi/asm-generic/siginfo.h): from a terminal it goes to
/// the whole foreground process group, the command included.
const SI_KERNEL: i32 = 0x80;

/// How often it is looked whether the command has ended, whatever was heard of it.
const SURE: Duration = Duration::from_secs(1);

/// The command, held back at first. It is this process's child until it is waited for, so that its pid is its own.
#[derive(Debug)]
pub(crate) struct Child {
    process: process::Child,
    gate: Option<Gate>,
    ending: Option<Ending>,
    /// [`blocked`] ones.
    signals: SignalFd,
}

impl Child {
    /// Starts this program as the launcher of `command`, which waits to be let go.
    ///
    /// # Errors
    /// What the kernel says; then there is no launcher. All that can fail is done before it is started.
    pub(crate) fn start(command: &[OsString], identity: &Identity) -> io::Result<Self> {
        let caught: SigSet = blocked().collect();
        let signals = SignalFd::with_flags(&caught, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let blocked_before = caught.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let unblocked = caught.iter().filter(|signal| !blocked_before.contains(*signal));
        let started = signals::await_children()
            .and_then(|()| Launcher::new(command, identity, unblocked))
            .and_then(Launcher::start);
        let (process, gate) = started.inspect_err(|_| {
            // Whoever runs the command without a child gives it the signals that portbind got. It fails for no mask.
            let _restored = blocked_before.thread_set_mask();
        })?;
        Ok(Self { process, gate: Some(gate), ending: None, signals })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Lets it become the command.
    pub(crate) fn let_go(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.open();
        }
    }

    /// A descriptor that is ready when something is heard of it.
    ///
    /// # Errors
    /// If the runtime cannot poll it.
    pub(crate) fn watch(&self) -> io::Result<AsyncFd<OwnedFd>> {
        runtime::watch(self.signals.as_fd().try_clone_to_owned()?)
    }

    /// Waits for its end, and passes signals on until then.
    pub(crate) async fn ended(&mut self, watched: &AsyncFd<OwnedFd>) {
        while self.try_wait().is_none() {
            tokio::select! {
                biased;
                // What comes from here on makes it ready once more.
                Ok(mut ready) = watched.readable() => ready.clear_ready(),
                () = tokio::time::sleep(SURE) => {}
            }
        }
    }

    /// Lets it go if it is not yet, waits for its end, passes signals on until then; how it ended. No runtime is
    /// needed.
    ///
    /// # Errors
    /// If somebody else has waited for it: its status is lost.
    pub(crate) fn wait(&mut self) -> io::Result<Ending> {
        self.let_go();
        loop {
            match self.try_wait() {
                Some(ending) => return ending,
                None => self.pause(),
            }
        }
    }

    /// Passes on what came, and tells how it ended, once it has.
    fn try_wait(&mut self) -> Option<io::Result<Ending>> {
        if let Some(ending) = self.ending {
            return Some(Ok(ending));
        }
        // First: a SIGCHLD that comes later is one that is still to be read.
        self.pass_on();
        match self.process.try_wait() {
            Ok(Some(status)) => {
                self.ending = Some(Ending::of_wait_status(status.into_raw().cast_unsigned()));
                self.ending.map(Ok)
            }
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Some(Err(error)),
            // It runs on, whatever else went wrong.
            Ok(None) | Err(_) => None,
        }
    }

    /// Waits for a signal, but not for long.
    fn pause(&self) {
        let patience = Timespec::try_from(SURE).ok();
        if poll(&mut [PollFd::new(&self.signals, PollFlags::IN)], patience.as_ref()).is_err() {
            thread::sleep(SURE);
        }
    }

    fn pass_on(&self) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            if let Some(signal) = for_command(&signal) {
                // It may have ended a moment ago.
                let _sent = kill_process(Pid::from_child(&self.process), signal);
            }
        }
    }
}

/// The signal, if it is one to be passed on.
fn for_command(signal: &siginfo) -> Option<Signal> {
    let number = i32::try_from(signal.ssi_signo).ok().filter(|_| signal.ssi_code != SI_KERNEL)?;
    Signal::from_named_raw(number).filter(|signal| *signal != Signal::CHILD)
}
