//! What ends a run from outside.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use crate::error::Error;

/// SIGINT and SIGTERM, caught from now on. The first of them ends a run in order; the second one does what it does to
/// a process that catches none, from within the handler: also where the process waits for a file or a look-up.
#[derive(Debug)]
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Catches the signals.
    pub(super) fn on_signals() -> Result<Self, Error> {
        let system = |doing| move |source| Error::System { doing, source };
        let was_signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the flag that the first signal sets is seen by the second one.
            let ends = flag::register_conditional_default(signal, Arc::clone(&was_signalled));
            ends.and_then(|_| flag::register(signal, Arc::clone(&was_signalled)))
                .map_err(system("cannot handle signals"))?;
        }
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(system("cannot handle SIGINT"))?,
            terminate: signal(SignalKind::terminate()).map_err(system("cannot handle SIGTERM"))?,
        })
    }

    /// Waits for one of them, or for the time to be over.
    pub(super) async fn or_after(mut self, timeout: Option<Duration>) {
        let over = async {
            match timeout {
                Some(timeout) => sleep(timeout).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = over => {}
        }
    }
}
