//! Sentences about a run, on standard error, which must not be waited for either.

use std::io::{self, Write as _};
use std::time::Duration;

use tokio::time::Instant;

use super::outlet::{Outlet, Outlets};
use super::stderr;

/// How long the last sentences may take.
const LAST_WORDS: Duration = Duration::from_millis(150);

/// Standard error of a run.
#[derive(Debug)]
pub(crate) struct Notes {
    outlets: Outlets,
    outlet: Outlet,
    is_quiet: bool,
}

impl Notes {
    /// Notes that are written, unless the run is to be quiet.
    pub(crate) fn new(is_quiet: bool) -> Self {
        let mut outlets = Outlets::default();
        let outlet = outlets.add(io::stderr());
        Self { outlets, outlet, is_quiet }
    }

    /// Writes a sentence. Who closed standard error does not want to read it.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.is_quiet && self.outlets.have_room() {
            let _said =
                self.outlet.write_all(stderr::lines(text).as_bytes()).and_then(|()| self.outlet.flush());
        }
    }

    /// Waits for what was written last.
    pub(crate) async fn finish(&self) {
        self.outlets.finish(LAST_WORDS, Instant::now() + LAST_WORDS).await;
    }
}
