//! Where events go: stdout, or a file.

use std::io::{self, BufWriter, Write};

use super::Args;
use crate::cli::session;
use crate::cli::style::style;
use crate::cli::writer::{Caller, Writer};
use crate::diagnosis::event::{Refusal, Release, Repeat};
use crate::error::Error;
use crate::output::{Printer, Style, Summary};

/// The printer of a run.
pub(super) type Sink = Printer<Box<dyn Write>>;

/// Opens it.
pub(super) fn open(args: &Args) -> Result<Sink, Error> {
    let style =
        Style { history: args.history, secrets: args.secrets(), ..style(args.color, args.output.is_none()) };
    let out: Box<dyn Write> = match &args.output {
        None => Box::new(BufWriter::new(io::stdout())),
        Some(path) => {
            // The helper ends when the file is open.
            let file = Writer::start(&Caller::of_process()?)?.append(path);
            let file = file.map_err(|source| Error::Output { path: path.clone(), source })?;
            Box::new(BufWriter::new(file))
        }
    };
    Ok(Printer::new(args.output_format, style, out))
}

impl session::Sink for Sink {
    fn begin(&mut self) -> io::Result<()> {
        Printer::begin(self)
    }

    fn refusal(&mut self, refusal: &Refusal) -> io::Result<()> {
        self.event(refusal)
    }

    fn release(&mut self, release: &Release) -> io::Result<()> {
        Printer::release(self, release)
    }

    fn repeat(&mut self, repeat: &Repeat) -> io::Result<()> {
        Printer::repeat(self, repeat)
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        Printer::summary(self, summary)
    }
}
