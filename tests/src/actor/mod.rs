//! Helper processes that perform the steps of a scenario.
//!
//! An actor is this program, started again as `actor`: it reads one [`Action`] per line from its standard input,
//! performs it, and writes one [`Answer`] per line. It ends when its input ends.

mod action;
mod bulk;
mod endpoint;
mod name;
mod perform;
mod portless;
mod rename;
mod sockets;

use std::io::{BufRead as _, Write as _};

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, poll};

pub use self::action::{Action, Answer, Family, Protocol, SocketOption, Way, errno_name};
pub use self::bulk::hold;
pub use self::name::{Kind, Object, SocketName};

/// Runs as an actor until the input ends.
///
/// # Errors
///
/// If the driver sends an invalid action, or the pipes break.
pub fn run() -> anyhow::Result<()> {
    let mut stage = sockets::Sockets::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let action: Action = serde_json::from_str(&line).with_context(|| format!("no action: {line}"))?;
        let last = matches!(action, Action::Exit);
        let answer = perform::perform(&mut stage, &action);
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
        out.flush()?;
        if last {
            break;
        }
    }
    Ok(())
}

/// Keeps the inherited descriptors open until the other end of the standard input is closed.
///
/// # Errors
///
/// If the name contains a NUL, or polling fails.
pub fn sleep(name: &str) -> anyhow::Result<()> {
    rename::rename(name)?;
    let stdin = std::io::stdin();
    // Polls only for the hang-up: input for the parent must not be consumed.
    let mut waited = [PollFd::new(&stdin, PollFlags::empty())];
    loop {
        match poll(&mut waited, None) {
            Ok(_) if waited[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) => return Ok(()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
