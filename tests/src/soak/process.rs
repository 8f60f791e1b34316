//! A process of the load: what it does, and how it begins and ends.

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::sys::process::{fork, leave};

/// A kind of process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// One word.
    pub(super) name: &'static str,
    /// Is refused about so many times, and says how often.
    pub(super) work: fn(&Held, u32) -> anyhow::Result<u32>,
}

/// What the load has bound for as long as it goes on.
#[derive(Debug)]
pub(super) struct Held {
    /// A TCP port at all IPv4 addresses.
    pub(super) tcp: u16,
    /// A UDP port at all IPv4 addresses.
    pub(super) udp: u16,
}

/// A process of a kind, from its start to its end.
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

/// Waits for the end of a process that should end well.
pub(super) fn await_end(child: Pid, name: &str) -> anyhow::Result<()> {
    let status = waitpid(Some(child), WaitOptions::empty())?.context("a process went missing")?.1;
    ensure!(status.exit_status() == Some(0), "a process of kind {name} failed: {status:?}");
    Ok(())
}
