//! Events that end a run from outside.

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

/// Catches SIGINT and SIGTERM from now on. The first signal ends a run in order. The second signal takes its default
/// action, from within the handler: also while the process waits for a file or a lookup.
#[derive(Debug)]
pub(crate) struct Stop {
    /// The read end of the pair that the handlers write to. The runtime has signals of its own, but panics if no
    /// descriptor is left for them (`OsExtraData::default` in src/signal/unix.rs of tokio 1.54).
    signalled: AsyncFd<OwnedFd>,
}

impl Stop {
    /// Catches the signals.
    ///
    /// # Errors
    /// The kernel's error, for example for lack of descriptors.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let (signalled, handler) = UnixStream::pair()?;
        let was_signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order, the second signal sees the flag that the first one set.
            flag::register_conditional_default(signal, Arc::clone(&was_signalled))?;
            flag::register(signal, Arc::clone(&was_signalled))?;
            pipe::register(signal, handler.try_clone()?)?;
        }
        Ok(Self { signalled: poll::watch(OwnedFd::from(signalled))? })
    }

    /// Waits for one of the signals, or for the timeout.
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
