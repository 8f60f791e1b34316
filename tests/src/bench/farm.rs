//! Many processes with many sockets each.

use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};

use clap::Args;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, kill_process, setrlimit, waitpid};

use super::words::{Words, word};
use crate::ports::Ports;
use crate::sys;

/// The number of processes and sockets.
#[derive(Args, Clone, Copy, Debug)]
pub struct Options {
    /// Processes.
    #[arg(long, value_name = "NUMBER", default_value_t = 3_000)]
    processes: u32,
    /// Sockets per process.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    sockets: u32,
}

/// Child processes; dropping this kills them.
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

/// Prints the port of one listener as soon as all sockets exist, and waits for the end of the input.
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
                // A process that lacks a socket reports nothing; the parent would wait forever, but sees the end of the
                // pipe.
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

/// Runs one child: opens its sockets, reports them, and waits until it is killed.
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
