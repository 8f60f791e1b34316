//! Processes that keep one socket open all the time, and change everything else about themselves: their other
//! descriptors, the size of their descriptor tables, their children, their programs and their first threads.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use rustix::net::{AddressFamily, SocketFlags, SocketType, accept, bind, listen, socket_with};
use rustix::process::{Signal, WaitOptions, getppid, set_parent_process_death_signal, waitpid};
use rustix::stdio::{dup2_stdin, stdin};

use crate::sys;

/// Initial capacity of a descriptor table (`NR_OPEN_DEFAULT`, include/linux/fdtable.h).
const SMALL_TABLE: u32 = 64;
/// Pause between two rounds.
const PAUSE: Duration = Duration::from_millis(1);
/// The nice value, so that portbind still gets the processor despite their number.
const NICE: i32 = 19;

/// State of such a process. Its socket is its standard input, which it neither closes nor replaces.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The port to bind the socket to; an inherited socket is already bound.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The number of the current round.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    round: u32,
}

/// Runs until the parent ends.
///
/// # Errors
/// If a call fails.
pub fn run(options: &Options) -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // A new first thread loses this setting, and the parent may have ended meanwhile.
    ensure!(
        getppid().is_none_or(|parent| !parent.is_init() || options.port.is_some()),
        "the parent has ended"
    );
    if let Some(port) = options.port {
        rustix::process::nice(NICE)?;
        // Not closed on execve.
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::empty(), None)?;
        bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        listen(&socket, 1)?;
        dup2_stdin(&socket)?;
        println!("{}", rustix::fs::fstat(stdin())?.st_ino);
        std::io::stdout().flush()?;
        // The client closes first, so that no TIME_WAIT stays on the port.
        rustix::io::read(accept(stdin())?, &mut [0])?;
    }
    for round in options.round.. {
        fill(SMALL_TABLE * (round % 5 + 1))?;
        // Closed on execve: otherwise each program leaves its copies to the next one.
        let copy = |_| rustix::io::fcntl_dupfd_cloexec(stdin(), 0);
        let _copies = (0..8).map(copy).collect::<Result<Vec<OwnedFd>, _>>()?;
        match sys::process::fork()? {
            Some(child) => drop(waitpid(Some(child), WaitOptions::empty())?),
            None => sys::process::leave(0),
        }
        match round % 8 {
            3 => return Err(next_program(round).into()),
            7 => return by_another_thread(round),
            _ => std::thread::sleep(PAUSE),
        }
    }
    Ok(())
}

/// Opens this many files and closes them, which makes the descriptor table grow.
fn fill(count: u32) -> std::io::Result<()> {
    (0..count).map(|_| File::open("/dev/null")).collect::<Result<Vec<_>, _>>().map(drop)
}

/// Executes this program again.
fn next_program(round: u32) -> std::io::Error {
    Command::new("/proc/self/exe").args(["churn", "--round"]).arg((round + 1).to_string()).exec()
}

/// Executes this program from a thread that is not the first, whose place it takes (de_thread, fs/exec.c).
fn by_another_thread(round: u32) -> anyhow::Result<()> {
    match std::thread::spawn(move || next_program(round)).join() {
        Ok(error) => Err(error.into()),
        Err(_) => bail!("the thread panicked"),
    }
}

/// A running process.
#[derive(Debug)]
pub struct Churn {
    process: Child,
    /// The port of its socket on 127.0.0.1.
    pub port: u16,
    /// The inode of its socket.
    pub inode: u64,
}

impl Churn {
    /// Starts a process, and waits until it has its socket. The process changes nothing until [`Self::begin`].
    ///
    /// # Errors
    /// If the process cannot be started or has no socket.
    pub fn start(port: u16) -> anyhow::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["churn", "--port"]).arg(port.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().context("no churn")?;
        let output = process.stdout.take().context("no output")?;
        let mut churn = Self { process, port, inode: 0 };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        churn.inode = line.trim().parse().with_context(|| format!("no inode: {line:?}"))?;
        Ok(churn)
    }

    /// Makes the process begin its changes.
    ///
    /// # Errors
    /// If the process cannot be reached.
    pub fn begin(&self) -> anyhow::Result<()> {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).context("the churn does not answer").map(drop)
    }

    /// The pid of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Kills the process without waiting for its end.
    pub fn end(&mut self) {
        let _killed = self.process.kill();
    }

    /// Whether the process still runs, and so has its socket.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        self.end();
        let _status = self.process.wait();
    }
}
