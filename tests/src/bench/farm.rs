//! Many processes, each with many sockets of its own.

use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};

use clap::Args;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, kill_process, setrlimit, waitpid};

use super::words::{Words, word};
use crate::ports::Ports;
use crate::sys;

/// What is there.
#[derive(Args, Clone, Copy, Debug)]
pub struct Options {
    /// Processes.
    #[arg(long, value_name = "NUMBER", default_value_t = 3_000)]
    processes: u32,
    /// Sockets of each.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    sockets: u32,
}

/// Processes that end with this.
struct Farm(Vec<Pid>);

impl Drop for Farm {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _killed = kill_process(*pid, Signal::KILL);
        }
        for pid in &self.0 {
            let _status = waitpid(Some(*pid), WaitOptions::empty());
        }
    }
}

/// Says which port one of them listens on as soon as all are there, and waits for the end of its input.
pub(super) fn run(options: &Options) -> anyhow::Result<Words> {
    let mut ports = Ports::new();
    let port = ports.take()?;
    let many = Rlimit { current: None, maximum: None };
    let _raised = setrlimit(Resource::Nproc, many);
    let mut farm = Farm(Vec::new());
    let (ready, done) = rustix::pipe::pipe()?;
    for number in 0..options.processes {
        match sys::process::fork()? {
            Some(pid) => farm.0.push(pid),
            None => {
                // A process that lacks a socket says nothing, and the parent waits in vain: it is told by the end.
                let taken = if number == options.processes / 2 { Some(port) } else { None };
                let _sockets = live(options.sockets, taken, &done);
                sys::process::leave(1);
            }
        }
    }
    drop(done);
    let mut bytes = vec![0; farm.0.len()];
    std::fs::File::from(ready).read_exact(&mut bytes)?;
    println!("port={port}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let count = u32::try_from(farm.0.len())?;
    drop(farm);
    Ok(vec![word("ended", f64::from(count))])
}

/// The life of one of them: opens its sockets, says so, and waits until it is killed.
fn live(count: u32, port: Option<u16>, done: &OwnedFd) -> rustix::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let open = || socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    let sockets = (0..count).map(|_| open()).collect::<rustix::io::Result<Vec<_>>>()?;
    if let (Some(port), Some(first)) = (port, sockets.first()) {
        bind(first, &std::net::SocketAddr::from(([127, 0, 0, 1], port)))?;
        listen(first, 16)?;
    }
    rustix::io::write(done.as_fd(), b"x")?;
    loop {
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
}
