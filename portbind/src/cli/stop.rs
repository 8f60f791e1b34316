//! What ends a run from outside.

use std::future::pending;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use crate::error::Error;

/// SIGINT and SIGTERM, caught from now on.
#[derive(Debug)]
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Catches the signals.
    pub(super) fn on_signals() -> Result<Self, Error> {
        let system = |doing| move |source| Error::System { doing, source };
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
