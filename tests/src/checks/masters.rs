//! `portbind free` of servers with workers, of servers of data, and of a socket that no process has open.

use anyhow::{Context as _, ensure};

use super::ask::{ask, done, list, listener};
use super::free::{outcome, runs};
use super::setting::Setting;
use super::support::SOON;
use crate::actor::Action;
use crate::actors::Actors;
use crate::ports::Ports;
use crate::programs;
use crate::tracer::Tracer;

/// A master with two workers, which it starts again if they end before it. With the word `ends`, it ends them when it
/// is stopped; otherwise they outlive it. It prints the pids of the workers.
const MASTER: &str = "
import os, signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
server = socket.socket()
server.bind(('127.0.0.1', int(sys.argv[1])))
server.listen()
def start():
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
        while True: signal.pause()
    return pid
workers = {start(), start()}
print(*workers, flush=True)
while signal.sigwait({signal.SIGTERM, signal.SIGCHLD}) == signal.SIGCHLD:
    workers.discard(os.wait()[0])
    workers.add(start())
if sys.argv[2] == 'ends':
    for pid in workers: os.kill(pid, signal.SIGTERM)
    for pid in workers: os.waitpid(pid, 0)
";

/// Sends itself a listening socket, and closes it: the socket is in flight.
const IN_FLIGHT: &str = "
import signal, socket, sys
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
server = socket.socket()
server.bind(('127.0.0.1', int(sys.argv[1])))
server.listen()
socket.send_fds(one, [b'x'], [server.fileno()])
server.close()
print(flush=True)
signal.pause()
";

/// Starts a script of Python, and waits for its first line.
fn script(text: &str, words: &[&str]) -> anyhow::Result<Tracer> {
    let script = Tracer::spawn(programs::PYTHON.command()?.args(["-c", text]).args(words))?;
    ensure!(script.stdout.wait(SOON, |lines| !lines.is_empty()), "it does not start: {words:?}");
    Ok(script)
}

/// The master is signalled alone; workers are signalled only if they outlive it.
pub(super) fn masters(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut ports = Ports::new();
    for (word, expected) in [("ends", "ended_with"), ("leaves", "ended")] {
        let port = ports.take()?.to_string();
        let server = script(MASTER, &[&port, word])?;
        let line = server.stdout.so_far().concat();
        let workers: Vec<u32> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let shown = ask(setting, &["free", &port, "--dry-run"], 0)?;
        ensure!(list(&shown, "targets").len() == 3 && list(&shown, "workers").len() == 2, "{shown}");
        ensure!(list(&shown, "workers").iter().all(|one| one["pid"] != server.pid()), "{shown}");
        let shown = ask(setting, &["free", &port, "--yes"], 0)?;
        ensure!(outcome(&shown, server.pid()) == Some("ended"), "{shown}");
        for worker in workers {
            ensure!(outcome(&shown, worker) == Some(expected) && !runs(worker)?, "{worker}: {shown}");
        }
        server.end()?;
    }
    Ok(())
}

/// A server of data is never killed; PostgreSQL receives SIGINT.
pub(super) fn servers_of_data(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    for (name, expected, code) in [("etcd", "still_runs", 1), ("postgres", "ended", 0)] {
        let port = ports.take()?;
        let pid = done(&mut actors, name, &listener("old", port))?.pid;
        done(&mut actors, name, &Action::IgnoreTerm)?;
        done(&mut actors, name, &Action::Rename { name: name.to_owned() })?;
        let shown = ask(setting, &["free", &port.to_string(), "--yes", "--grace", "0.3"], code)?;
        let is_left = expected == "still_runs";
        ensure!(outcome(&shown, pid) == Some(expected) && runs(pid)? == is_left, "{shown}");
    }
    Ok(())
}

/// A socket in flight has no process, and root needs no more rights to see that.
pub(super) fn in_flight(setting: Setting<'_>) -> anyhow::Result<()> {
    let port = Ports::new().take()?.to_string();
    let holder = script(IN_FLIGHT, &[&port])?;
    let shown = ask(setting, &["free", &port, "--yes"], 1)?;
    let obstacle = list(&shown, "obstacles").first().context("no obstacle")?;
    ensure!(obstacle["reason"] == "nobody" && shown["unseen"]["processes"] == 0, "{shown}");
    ensure!(runs(holder.pid())?, "it was stopped");
    holder.signal(rustix::process::Signal::TERM)?;
    holder.end()?;
    Ok(())
}
