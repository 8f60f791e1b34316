//! What the text formats depend on: colours, the width of the terminal, the time zone.

use std::io::{self, IsTerminal as _};

use crate::host::zone;
use crate::output::Style;
use crate::output::color::{ColorChoice, Surroundings};
use crate::secrets::Secrets;

/// The style for standard output, or for a file.
pub(super) fn style(color: ColorChoice, to_stdout: bool) -> Style {
    let is_terminal = to_stdout && io::stdout().is_terminal();
    Style {
        color: color.resolve(&Surroundings::of_process(is_terminal)),
        width: is_terminal.then(terminal_width).flatten(),
        zone: zone::local(),
        history: false,
        secrets: Secrets::Masked,
    }
}

fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
