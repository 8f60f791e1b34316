//! The destination of events: stdout or a file.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::cli::error::Error;
use crate::event::{Refusal, Release, Repeat, Summary};
use crate::host::confinement::Errand;
use crate::output::{Format, Printer, Style};
use crate::session;
use crate::wire;
use crate::writer::notes::Notes;
use crate::writer::outlet::{Marker, Outlet, Outlets};
use crate::writer::{Caller, Writer};

/// The printer of a run.
#[derive(Debug)]
pub(super) struct Sink {
    printer: Printer<Outlet>,
    outlets: Outlets,
    marker: Marker,
    notes: Notes,
}

/// Opens the destination.
pub(super) fn open(
    format: Format,
    style: Style,
    output: Option<&Path>,
    is_quiet: bool,
) -> Result<Sink, Error> {
    let file = match output {
        // A separate descriptor: the writing thread must not hold the lock of standard output.
        None => io::stdout().as_fd().try_clone_to_owned().map(File::from).map_err(Error::Write)?,
        Some(path) => {
            // The helper ends when the file is open.
            let file = Writer::start(&Caller::of_process()?, Errand::Files)?.append(path);
            file.map_err(|source| Error::Output { path: path.to_owned(), source })?
        }
    };
    let mut outlets = Outlets::default();
    let outlet = outlets.add(file);
    let marker = outlet.marker();
    Ok(Sink { printer: Printer::new(format, style, outlet), outlets, marker, notes: Notes::new(is_quiet) })
}

impl Sink {
    /// Waits until the last notes are written.
    pub(super) async fn finish_notes(&self) {
        self.notes.finish().await;
    }
}

impl session::Sink for Sink {
    fn begin(&mut self) -> io::Result<()> {
        self.printer.begin()
    }

    fn refusal(&mut self, refusal: &Refusal) -> io::Result<()> {
        self.marker.next_is_an_event();
        self.printer.event(refusal)
    }

    fn release(&mut self, release: &Release) -> io::Result<()> {
        self.printer.release(release)
    }

    fn repeat(&mut self, repeat: &Repeat) -> io::Result<()> {
        self.printer.repeat(repeat)
    }

    fn note(&mut self, text: &str) {
        self.notes.say(text);
    }

    fn has_room(&self) -> bool {
        self.outlets.have_room()
    }

    async fn changed(&self) {
        self.outlets.changed().await;
    }

    fn check(&mut self) -> io::Result<()> {
        self.outlets.failure().map_or(Ok(()), Err)
    }

    async fn finish(&self, pause: Duration, deadline: Instant) -> u64 {
        self.outlets.finish(pause, deadline).await
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.printer.summary(&wire::Summary::from(summary))
    }
}
