//! Processes that keep a tracer busy.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, bind, socket};
use rustix::process::{WaitOptions, waitpid};

use super::say::say;
use crate::sys::process::{fork, leave};

/// A listener that many processes share, with this many refused binds per second, each on another address, until the
/// input ends.
pub(super) fn crowd(port: u16, holders: u32, rate: u32) -> anyhow::Result<()> {
    let _listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    for _ in 0..holders {
        if fork()?.is_none() {
            // When the last process with the other end has ended, all of them end.
            let _end = std::io::stdin().read_to_end(&mut Vec::new());
            leave(0);
        }
    }
    say("ready")?;
    let (stdin, begin) = (std::io::stdin(), Instant::now());
    for number in 0_u32.. {
        let [_, high, middle, low] = number.to_be_bytes();
        refused(Ipv4Addr::new(127, high, middle, low | 1), port)?;
        let due = begin + Duration::from_secs(1) * number / rate.max(1);
        let pause = due.saturating_duration_since(Instant::now());
        let pause = Timespec { tv_sec: 0, tv_nsec: pause.subsec_nanos().into() };
        if poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&pause))? > 0 {
            break;
        }
    }
    Ok(())
}

/// Short-lived processes, one after the other, each of which binds a port and makes this many refused binds.
pub(super) fn mayflies(port: u16, count: u32, refusals: u32) -> anyhow::Result<()> {
    for _ in 0..count {
        match fork()? {
            None => {
                let _port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
                let _all = (0..refusals).try_for_each(|_| refused(Ipv4Addr::LOCALHOST, port));
                leave(0);
            }
            child => {
                waitpid(child, WaitOptions::empty())?.context("no child")?;
            }
        }
    }
    say("done")
}

/// Makes a refused bind. At the end the listener may be closed, and the bind succeeds.
fn refused(address: Ipv4Addr, port: u16) -> anyhow::Result<()> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    match bind(&socket, &SocketAddr::from((address, port))) {
        Ok(()) | Err(Errno::ADDRINUSE) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
