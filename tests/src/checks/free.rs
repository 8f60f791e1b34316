//! `portbind free`: the right processes end, and no other.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, test_kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

use super::ask::{LOCALHOST, ask, bind_name, done, list, listener, of, socket};
use super::setting::Setting;
use super::support::{ContestedPort, SOON, exited, says};
use crate::actor::{Action, Kind, Object, Protocol, SocketName};
use crate::actors::Actors;
use crate::ports::Ports;
use crate::tracer::Tracer;

/// A process runs: it has not ended, nor is it waited for.
pub(super) fn runs(pid: u32) -> anyhow::Result<bool> {
    let pid = Pid::from_raw(pid.try_into()?).context("no pid")?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    Ok(test_kill_process(pid).is_ok() && !stat.contains(") Z "))
}

/// What became of a process.
pub(super) fn outcome(told: &Value, pid: u32) -> Option<&str> {
    list(told, "stopped").iter().find(|one| one["pid"] == pid)?["outcome"].as_str()
}

/// One that ignores SIGTERM is killed when its time is over; one that does not is not.
pub(super) fn stubborn(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    for (actor, expected) in [("server", "ended"), ("stubborn", "killed")] {
        let port = ports.take()?;
        let pid = done(&mut actors, actor, &listener("old", port))?.pid;
        if expected == "killed" {
            done(&mut actors, actor, &Action::IgnoreTerm)?;
        }
        let told = ask(setting, &["free", &port.to_string(), "--yes", "--grace", "0.3"], 0)?;
        ensure!(outcome(&told, pid) == Some(expected) && !runs(pid)?, "{told}");
        ask(setting, &["check", &port.to_string()], 0)?;
    }
    Ok(())
}

/// Everybody who shares the listening socket ends; the client, and whoever has another port, lives.
pub(super) fn family(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let (port, other) = (ports.take()?, ports.take()?);
    done(&mut actors, "server", &Action::NewNetns)?;
    for actor in ["client", "other"] {
        done(&mut actors, actor, &Action::JoinNetns { of: "server".to_owned(), pid: 0 })?;
    }
    done(&mut actors, "server", &listener("old", port))?;
    done(&mut actors, "other", &listener("other", other))?;
    done(&mut actors, "other", &socket("udp", Protocol::Udp, &[], (LOCALHOST, port), false))?;
    for child in ["one", "two"] {
        let child = child.to_owned();
        done(
            &mut actors,
            "server",
            &Action::Inherit { socket: "old".to_owned(), child, close_on_exec: false },
        )?;
    }
    connect(&mut actors, port)?;
    let pids = |names: &[&str]| -> Vec<u32> { names.iter().filter_map(|name| actors.pid(name)).collect() };
    let (doomed, spared) = (pids(&["server", "one", "two"]), pids(&["client", "other"]));
    let there = of(&actors, "client")?;
    let words = ["free", &port.to_string(), "--netns", &there, "--reuse-address"];
    let told = ask(setting, &[&words[..], &["--dry-run"]].concat(), 0)?;
    ensure!(told["stage"] == "planned" && list(&told, "targets").len() == 3, "{told}");
    for pid in &doomed {
        ensure!(runs(*pid)?, "{pid} ended by being looked at");
    }
    // The server had not set SO_REUSEADDR, so that what the connection leaves stands in the way.
    let told = ask(setting, &[&words[..], &["--yes"]].concat(), 1)?;
    ensure!(told["cause"]["code"] == "time-wait" || told["cause"]["code"] == "connection", "{told}");
    for pid in doomed {
        ensure!(outcome(&told, pid) == Some("ended") && !runs(pid)?, "{pid}: {told}");
    }
    for pid in spared {
        ensure!(outcome(&told, pid).is_none() && runs(pid)?, "{pid}: {told}");
    }
    Ok(())
}

pub(super) fn connect(actors: &mut Actors, port: u16) -> anyhow::Result<u16> {
    let unbound = Action::Socket {
        new: "far".to_owned(),
        family: crate::actor::Family::Inet,
        protocol: Protocol::Tcp,
        options: Vec::new(),
        address: None,
        port: None,
        listen: false,
    };
    done(actors, "client", &unbound)?;
    let to_server = Action::Connect { socket: "far".to_owned(), address: LOCALHOST, port };
    let own = done(actors, "client", &to_server)?.port.context("no port")?;
    done(actors, "server", &Action::Accept { socket: "old".to_owned(), new: "near".to_owned() })?;
    Ok(own)
}

/// TIME_WAIT has nobody to stop, and says how long it lasts; a client is left alone on its own port.
pub(super) fn left_alone(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let (left, _) = contested.leave_time_wait("leaver")?;
    let there = of(&contested.actors, "holder")?;
    let told = ask(setting, &["free", &left.to_string(), "--yes", "--netns", &there], 1)?;
    // The client closed first.
    ensure!(told["cause"]["code"] == "outgoing" && list(&told, "stopped").is_empty(), "{told}");
    let wait = list(&told, "fixes").iter().find(|fix| fix["code"] == "wait").context("no word of waiting")?;
    ensure!(wait["text"].as_str().is_some_and(|text| text.contains("ends in")), "{told}");
    let mut actors = Actors::default();
    let port = Ports::new().take()?;
    done(&mut actors, "server", &Action::NewNetns)?;
    done(&mut actors, "client", &Action::JoinNetns { of: "server".to_owned(), pid: 0 })?;
    done(&mut actors, "server", &listener("old", port))?;
    let own = connect(&mut actors, port)?.to_string();
    let told = ask(setting, &["free", &own, "--yes", "--netns", &of(&actors, "server")?], 1)?;
    ensure!(told["cause"]["code"] == "outgoing" && list(&told, "stopped").is_empty(), "{told}");
    ensure!(runs(actors.pid("client").context("no client")?)?, "the client was stopped");
    Ok(())
}

/// Between the look and the yes, the process ends and another one gets its number, and even the port: it lives.
pub(super) fn recycled_pid(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    for (victim, takes_port) in [("first", false), ("second", true)] {
        let port = ports.take()?;
        let pid = done(&mut actors, victim, &listener("old", port))?.pid;
        let mut terminal = Terminal::new()?;
        let mut command = Command::new(setting.portbind);
        command.args(["free", &port.to_string(), "-o", "json"]);
        let asking = Tracer::spawn_between(&mut command, terminal.line()?, Stdio::piped())?;
        let shown = |lines: &[String]| lines.iter().any(|line| line.contains(&format!("({pid})")));
        ensure!(asking.stderr.wait(SOON, shown), "it does not ask:\n{}", asking.stderr.so_far().join("\n"));
        actors.perform(victim, &Action::Exit)?;
        take_number(&mut actors, pid)?;
        if takes_port {
            done(&mut actors, "heir", &listener("new", port))?;
        }
        terminal.type_in("y\n")?;
        let ended = asking.end()?;
        exited(&ended, i32::from(takes_port))?;
        let told: Value = serde_json::from_str(ended.stdout.first().context("no answer")?)?;
        ensure!(outcome(&told, pid) == Some("gone") && told["free"] == !takes_port, "{told}");
        ensure!(runs(pid)?, "the heir of the number was stopped: {told}");
        done(&mut actors, "heir", &Action::Rename { name: "alive".to_owned() })?;
        actors.perform("heir", &Action::Exit)?;
    }
    Ok(())
}

/// Starts an actor that gets this pid.
fn take_number(actors: &mut Actors, pid: u32) -> anyhow::Result<()> {
    for _ in 0..10_000 {
        std::fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string())?;
        actors.cast("heir", Path::new("/proc/self/exe"), &[], &[])?;
        if actors.pid("heir") == Some(pid) {
            return Ok(());
        }
    }
    bail!("nobody got the pid {pid} again")
}

/// A terminal that somebody types at.
struct Terminal(OwnedFd);

impl Terminal {
    fn new() -> anyhow::Result<Self> {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&controller)?;
        unlockpt(&controller)?;
        Ok(Self(controller))
    }

    /// The end that a program reads from.
    fn line(&self) -> anyhow::Result<Stdio> {
        let name = ptsname(&self.0, Vec::new())?;
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
        Ok(rustix::fs::open(name, flags, rustix::fs::Mode::empty())?.into())
    }

    fn type_in(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(std::fs::File::from(self.0.try_clone()?).write_all(text.as_bytes())?)
    }
}

/// What started this command is not stopped by it.
pub(super) fn ancestor(setting: Setting<'_>) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port().to_string();
    let told = ask(setting, &["free", &port, "--yes"], 1)?;
    let obstacle = list(&told, "obstacles").first().context("no obstacle")?;
    ensure!(obstacle["reason"] == "own" && obstacle["process"]["pid"] == std::process::id(), "{told}");
    ensure!(told["stage"] == "forbidden" && list(&told, "stopped").is_empty(), "{told}");
    Ok(())
}

/// Without a terminal and without `--yes` nothing is done.
pub(super) fn unconfirmed(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let port = ports.take()?;
    let pid = done(&mut actors, "server", &listener("old", port))?.pid;
    let ended = Tracer::spawn(Command::new(setting.portbind).args(["free", &port.to_string()]))?.end()?;
    exited(&ended, 2)?;
    says(&ended, "--yes")?;
    ensure!(runs(pid)?, "it was stopped all the same");
    Ok(())
}

/// A stale socket file is removed, a live one and anything else is not.
pub(super) fn socket_files(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut actors = Actors::default();
    for label in ["live", "stale"] {
        done(&mut actors, "server", &Action::Open { new: label.to_owned(), kind: Kind::UnixStream })?;
        done(&mut actors, "server", &bind_name(label, &SocketName::Path(label.to_owned())))?;
    }
    done(&mut actors, "server", &Action::Close { socket: "stale".to_owned() })?;
    for (object, path) in [(Object::File, "file"), (Object::Folder, "folder"), (Object::DanglingLink, "link")]
    {
        let make = Action::Make { object, path: path.to_owned(), folder: std::path::PathBuf::new() };
        done(&mut actors, "server", &make)?;
    }
    for (name, code, cause) in [
        ("live", 1, Some("live-socket-file")),
        ("file", 1, Some("path-exists")),
        ("folder", 1, Some("path-exists")),
        ("link", 1, Some("path-exists")),
        ("stale", 0, None),
        ("stale", 0, None),
    ] {
        let path = actors.folder().join(name);
        let told = ask(setting, &["free", &path.display().to_string(), "--yes"], code)?;
        ensure!(told["cause"]["code"].as_str() == cause, "{told}");
        ensure!(path.symlink_metadata().is_ok() == (code == 1), "{}: {told}", path.display());
    }
    Ok(())
}
