//! A process of the load: its work, start and end.

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::sys::process::{fork, leave};

/// A kind of process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// The name, one word.
    pub(super) name: &'static str,
    /// Makes about this many refused binds, and returns their number.
    pub(super) work: fn(&Held, u32) -> anyhow::Result<u32>,
}

/// Sockets that the load keeps bound throughout.
#[derive(Debug)]
pub(super) struct Held {
    /// A TCP port on all IPv4 addresses.
    pub(super) tcp: u16,
    /// A UDP port on all IPv4 addresses.
    pub(super) udp: u16,
}

/// Starts a process of a kind, and waits until it ends.
pub(super) fn process(kind: &Kind, held: &Held, count: u32) -> anyhow::Result<Pid> {
    let Some(child) = fork()? else {
        let refused = (kind.work)(held, count);
        match &refused {
            Ok(refused) => println!("{} {} {refused}", kind.name, std::process::id()),
            Err(error) => println!("{}: {error:#}", kind.name),
        }
        leave(i32::from(refused.is_err()));
    };
    await_end(child, kind.name)?;
    Ok(child)
}

/// Waits for the end of a process, which must succeed.
pub(super) fn await_end(child: Pid, name: &str) -> anyhow::Result<()> {
    let status = waitpid(Some(child), WaitOptions::empty())?.context("a process went missing")?.1;
    ensure!(status.exit_status() == Some(0), "a process of kind {name} failed: {status:?}");
    Ok(())
}
