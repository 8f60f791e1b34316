//! Processes that make many refused binds after a start signal.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context as _, ensure};
use clap::Subcommand;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, bind, socket};
use rustix::process::{Uid, WaitOptions, waitpid};
use rustix::thread::set_thread_res_uid;

use crate::sys::process::{fork, leave, own_user_namespace};

/// Refusals per short-lived process.
const EACH: u32 = 8;
/// Number of user ids in a user namespace.
pub const SUBORDINATE: u32 = 65_536;

/// What such a process does when its input ends.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Storm {
    /// Binds its own port this many times.
    Own {
        /// Number of binds.
        count: u32,
    },
    /// Binds its own port this many times, each time on another address.
    Many {
        /// Number of binds.
        count: u32,
    },
    /// Starts this many processes in a user namespace, each with another uid, and each refused on another address.
    Wild {
        /// Number of processes.
        processes: u32,
    },
}

/// Takes a port, prints it, waits for the end of the input, and then repeatedly binds the port.
///
/// # Errors
///
/// If a call other than the bind fails.
pub fn run(storm: Storm) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let port = listener.local_addr()?.port();
    if matches!(storm, Storm::Wild { .. }) {
        own_user_namespace().context("no user namespace")?;
    }
    println!("{port}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    match storm {
        Storm::Own { count } => ask(Ipv4Addr::LOCALHOST, port, count),
        Storm::Many { count } => (0..count).try_for_each(|number| ask(loopback(number), port, 1)),
        Storm::Wild { processes } => (0..processes).try_for_each(|number| wild(number, port)),
    }
}

/// One process with its own uid, which ends after a few refusals.
fn wild(number: u32, port: u16) -> anyhow::Result<()> {
    let Some(child) = fork()? else {
        let uid = Uid::from_raw(1 + number % (SUBORDINATE - 1));
        let is_done = set_thread_res_uid(uid, uid, uid).is_ok() && ask(loopback(number), port, EACH).is_ok();
        leave(i32::from(!is_done));
    };
    let status = waitpid(Some(child), WaitOptions::empty())?.context("a process went missing")?.1;
    ensure!(status.exit_status() == Some(0), "process {number} failed: {status:?}");
    Ok(())
}

/// One of the loopback addresses.
fn loopback(number: u32) -> Ipv4Addr {
    let [_, a, b, c] = (number + 1).to_be_bytes();
    Ipv4Addr::new(127, a, b, c)
}

/// Binds a taken address.
fn ask(address: Ipv4Addr, port: u16, count: u32) -> anyhow::Result<()> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    for _ in 0..count {
        let answer = bind(&socket, &SocketAddr::from((address, port)));
        ensure!(answer == Err(Errno::ADDRINUSE), "a bind of the storm got {answer:?}");
    }
    Ok(())
}

/// A process that waits for its start.
pub struct Stormer {
    child: Child,
    start: Option<ChildStdin>,
    /// The port that it binds.
    pub port: u16,
}

impl Stormer {
    /// Starts a waiting process with user id `uid`.
    ///
    /// # Errors
    ///
    /// If the process has no port.
    pub fn new(storm: Storm, uid: u32) -> anyhow::Result<Self> {
        let words = match storm {
            Storm::Own { count } => ["own".to_owned(), count.to_string()],
            Storm::Many { count } => ["many".to_owned(), count.to_string()],
            Storm::Wild { processes } => ["wild".to_owned(), processes.to_string()],
        };
        let mut command = Command::new("/proc/self/exe");
        command.arg("storm").args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).uid(uid).gid(uid);
        let mut child = command.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let port = line.trim().parse().with_context(|| format!("the stormer said {line:?}"))?;
        if matches!(storm, Storm::Wild { .. }) {
            let map = format!("0 {} {SUBORDINATE}", 10 * SUBORDINATE);
            std::fs::write(format!("/proc/{}/uid_map", child.id()), map).context("no map of users")?;
        }
        let start = child.stdin.take();
        Ok(Self { child, start, port })
    }

    /// The pid of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets the process begin.
    pub fn start(&mut self) {
        self.start = None;
    }

    /// Waits until the process has ended.
    ///
    /// # Errors
    ///
    /// If the process failed.
    pub fn end(mut self) -> anyhow::Result<()> {
        self.start();
        let status = self.child.wait()?;
        ensure!(status.success(), "the stormer failed: {status}");
        Ok(())
    }
}
