//! Processes that keep a tracer busy.

use std::io::{PipeReader, PipeWriter, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, bind, socket};
use rustix::process::{Uid, WaitOptions, waitpid};
use rustix::thread::set_thread_res_uid;

use super::say::say;
use crate::storms::SUBORDINATE;
use crate::sys::process::{fork, leave, own_user_namespace};

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

/// Processes of a user id each, in a user namespace of one user, that share a listener. All are refused its port, each
/// at another address each time; the first ones without a pause.
pub(super) fn users(port: u16, processes: u32) -> anyhow::Result<()> {
    let (mut is_made, made) = std::io::pipe()?;
    let (mapped, map) = std::io::pipe()?;
    let Some(child) = fork()? else {
        drop((is_made, map));
        let _status = become_users(port, processes, made, mapped);
        leave(1);
    };
    drop((made, mapped));
    is_made.read_exact(&mut [0])?;
    let ids = format!("0 {} {SUBORDINATE}", 10 * SUBORDINATE);
    std::fs::write(format!("/proc/{}/uid_map", child.as_raw_pid()), ids).context("no map of users")?;
    drop(map);
    waitpid(Some(child), WaitOptions::empty())?.context("no child")?;
    Ok(())
}

/// On each processor a process of low priority that is refused continuously, beside one that never rests: the first one
/// waits most of the time, also in the middle of a call. Until the input ends.
pub(super) fn waiters(port: u16) -> anyhow::Result<()> {
    const LOWEST: i32 = 19;
    let _listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    for _ in 0..std::thread::available_parallelism()?.get() {
        if fork()?.is_none() {
            let _end = rustix::process::nice(LOWEST).map(|_| is_refused_on_and_on(port, 0));
            leave(0);
        }
        if fork()?.is_none() {
            let stdin = std::io::stdin();
            while poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&Timespec::default())) == Ok(0) {}
            leave(0);
        }
    }
    say("ready")?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn become_users(
    port: u16,
    processes: u32,
    mut made: PipeWriter,
    mut mapped: PipeReader,
) -> anyhow::Result<()> {
    const OWNER: u32 = 47_115;
    const BUSY: u32 = 8;
    let _listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    let owner = Uid::from_raw(OWNER);
    set_thread_res_uid(owner, owner, owner)?;
    own_user_namespace()?;
    made.write_all(b"m")?;
    mapped.read_to_end(&mut Vec::new())?;
    for process in 0..processes {
        if fork()?.is_none() {
            let uid = Uid::from_raw(1 + process * (SUBORDINATE / (processes + 1)));
            let pause = if process < BUSY { 0 } else { 200_000_000 + i64::from(process % 400) * 1_000_000 };
            let _end = set_thread_res_uid(uid, uid, uid).map(|()| is_refused_on_and_on(port, pause));
            leave(0);
        }
    }
    say("ready")?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    leave(0)
}

/// Makes refused binds, with a pause in nanoseconds between them, until standard input ends.
fn is_refused_on_and_on(port: u16, pause: i64) -> anyhow::Result<()> {
    let stdin = std::io::stdin();
    let pause = Timespec { tv_sec: 0, tv_nsec: pause };
    for number in 0_u32.. {
        let [.., high, middle, low] = number.to_be_bytes();
        refused(Ipv4Addr::new(127, high, middle, low | 1), port)?;
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
