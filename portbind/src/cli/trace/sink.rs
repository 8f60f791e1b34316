//! Where events go: stdout, or a file.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;

use jiff::tz::TimeZone;

use super::Args;
use crate::error::Error;
use crate::output::color::Surroundings;
use crate::output::{Printer, Style};

/// The printer of a run.
pub(super) type Sink = Printer<Box<dyn Write>>;

/// Opens it.
pub(super) fn open(args: &Args) -> Result<Sink, Error> {
    let is_terminal = args.output.is_none() && io::stdout().is_terminal();
    let style = Style {
        color: args.color.resolve(&Surroundings::of_process(is_terminal)),
        width: is_terminal.then(terminal_width).flatten(),
        zone: TimeZone::system(),
        history: args.history,
    };
    let out: Box<dyn Write> = match &args.output {
        None => Box::new(BufWriter::new(io::stdout())),
        Some(path) => {
            let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
            let file = file.map_err(|source| Error::Output { path: path.clone(), source })?;
            Box::new(BufWriter::new(file))
        }
    };
    Ok(Printer::new(args.output_format, style, out))
}

fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
