//! Commands that consist of several processes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use rustix::process::{getppid, setsid};

use super::say::say;

/// Starts a subject of the next generation, which reports through a pipe.
fn start(subject: &str, port: u16, stdin: Stdio) -> anyhow::Result<Child> {
    let mut command = Command::new("/proc/self/exe");
    command.args(["wrapped", subject, &port.to_string()]);
    // A process that waits for the end of the command's own streams must not wait for this one.
    Ok(command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?)
}

/// A classic daemon: its parent leads a session, and has ended before the daemon works.
pub(super) fn daemon(port: u16) -> anyhow::Result<()> {
    let mut middle = start("middle", port, Stdio::null())?;
    let mut said = String::new();
    // The pipe ends when its last owner, the orphan, ends.
    middle.stdout.take().context("no pipe")?.read_to_string(&mut said)?;
    ensure!(middle.wait()?.success(), "the process in the middle failed");
    say(said.trim_end())
}

pub(super) fn middle(port: u16) -> anyhow::Result<()> {
    setsid()?;
    let mut command = Command::new("/proc/self/exe");
    command.args(["wrapped", "orphan", &port.to_string()]).spawn()?;
    Ok(())
}

pub(super) fn orphan(port: u16) -> anyhow::Result<()> {
    let parent = getppid();
    // The middle process may have ended already; then the parent is the reaper of orphans, which does not change.
    let is_middle = |pid: i32| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.windows(6).any(|word| word == b"middle"))
    };
    while getppid() == parent && parent.is_some_and(|parent| is_middle(parent.as_raw_nonzero().get())) {
        std::thread::yield_now();
    }
    be_refused(port)?;
    say(&std::process::id().to_string())
}

/// Binds a port that another process holds.
pub(super) fn be_refused(port: u16) -> anyhow::Result<()> {
    let error = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
        .err()
        .context("it was not refused")?;
    ensure!(error.kind() == std::io::ErrorKind::AddrInUse, "{error}");
    Ok(())
}

pub(super) fn leave(port: u16) -> anyhow::Result<()> {
    let mut server = start("serve", port, Stdio::inherit())?;
    let mut ready = String::new();
    BufReader::new(server.stdout.take().context("no pipe")?).read_line(&mut ready)?;
    ensure!(ready == "ready\n", "the server says {ready:?}");
    say(&server.id().to_string())
}

pub(super) fn serve(port: u16) -> anyhow::Result<()> {
    let _listener = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    say("ready")?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
