//! Messages about a run, written to standard error without blocking.

use std::io::{self, Write as _};
use std::time::Duration;

use tokio::time::Instant;

use super::outlet::{Outlet, Outlets};
use super::stderr;

/// How long the last messages may take.
const LAST_WORDS: Duration = Duration::from_millis(150);

/// Standard error of a run.
#[derive(Debug)]
pub(crate) struct Notes {
    outlets: Outlets,
    outlet: Outlet,
    is_quiet: bool,
}

impl Notes {
    /// Creates the notes, which write nothing if the run is quiet.
    pub(crate) fn new(is_quiet: bool) -> Self {
        let mut outlets = Outlets::default();
        let outlet = outlets.add(io::stderr());
        Self { outlets, outlet, is_quiet }
    }

    /// Writes a sentence. A failed write means that standard error was closed on purpose.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.is_quiet && self.outlets.have_room() {
            let _said =
                self.outlet.write_all(stderr::lines(text).as_bytes()).and_then(|()| self.outlet.flush());
        }
    }

    /// Waits until the last messages are written.
    pub(crate) async fn finish(&self) {
        self.outlets.finish(LAST_WORDS, Instant::now() + LAST_WORDS).await;
    }
}
