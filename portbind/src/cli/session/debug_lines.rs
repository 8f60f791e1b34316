//! The lines of the kernel half (`-vv`), on their way to standard error.

use std::future::pending;

use tokio::io::unix::AsyncFd;

use crate::kernel::debug::DebugLines;
use crate::kernel::tracer::Tracer;
use crate::sys::poll;

/// Where they come from, if they are wanted.
#[derive(Default)]
pub(super) struct Source(Option<AsyncFd<DebugLines>>);

impl Source {
    /// Begins to read them.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) fn start(tracer: &Tracer) -> Result<Self, String> {
        let lines = tracer.debug_lines().map_err(|error| error.to_string())?;
        Ok(Self(Some(poll::watch(lines).map_err(|error| error.to_string())?)))
    }

    /// The next ones; never, if they are not wanted.
    pub(super) async fn next(&mut self) -> Vec<String> {
        let Some(lines) = &mut self.0 else { return pending().await };
        let Ok(mut ready) = lines.readable_mut().await else { return pending().await };
        let texts = ready.get_inner_mut().take();
        ready.clear_ready();
        texts
    }
}
