//! What ends a run from outside.

use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use super::poll;

/// SIGINT and SIGTERM, caught from now on. The first of them ends a run in order; the second one does what it does to
/// a process that catches none, from within the handler: also where the process waits for a file or a look-up.
#[derive(Debug)]
pub(crate) struct Stop {
    /// What the handlers write to leads here. The runtime has signals of its own, but panics where there is no
    /// descriptor left for them (`OsExtraData::default` in src/signal/unix.rs of tokio 1.54).
    signalled: AsyncFd<OwnedFd>,
}

impl Stop {
    /// Catches the signals.
    ///
    /// # Errors
    /// What the kernel says, as for want of descriptors.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let (signalled, handler) = UnixStream::pair()?;
        let was_signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the flag that the first signal sets is seen by the second one.
            flag::register_conditional_default(signal, Arc::clone(&was_signalled))?;
            flag::register(signal, Arc::clone(&was_signalled))?;
            pipe::register(signal, handler.try_clone()?)?;
        }
        Ok(Self { signalled: poll::watch(OwnedFd::from(signalled))? })
    }

    /// Waits for one of them, or for the time to be over.
    pub(crate) async fn or_after(self, timeout: Option<Duration>) {
        let over = async {
            match timeout {
                Some(timeout) => sleep(timeout).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = self.signalled.readable() => {}
            () = over => {}
        }
    }
}
