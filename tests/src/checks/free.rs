//! `portbind free`: the right processes end, and no others.

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

/// Whether a process runs: it has not ended and is not a zombie.
pub(super) fn runs(pid: u32) -> anyhow::Result<bool> {
    let pid = Pid::from_raw(pid.try_into()?).context("no pid")?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    Ok(test_kill_process(pid).is_ok() && !stat.contains(") Z "))
}

/// The reported outcome of a process.
pub(super) fn outcome(reported: &Value, pid: u32) -> Option<&str> {
    list(reported, "stopped").iter().find(|one| one["pid"] == pid)?["outcome"].as_str()
}

/// A process that ignores SIGTERM is killed after the grace time; one that does not ignore it is not killed.
pub(super) fn stubborn(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    for (actor, expected) in [("server", "ended"), ("stubborn", "killed")] {
        let port = ports.take()?;
        let pid = done(&mut actors, actor, &listener("old", port))?.pid;
        if expected == "killed" {
            done(&mut actors, actor, &Action::IgnoreTerm)?;
        }
        let reported = ask(setting, &["free", &port.to_string(), "--yes", "--grace", "0.3"], 0)?;
        ensure!(outcome(&reported, pid) == Some(expected) && !runs(pid)?, "{reported}");
        ask(setting, &["check", &port.to_string()], 0)?;
    }
    Ok(())
}

/// All processes that share the listening socket end; the client, and a process on another port, survive.
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
    let reported = ask(setting, &[&words[..], &["--dry-run"]].concat(), 0)?;
    ensure!(reported["stage"] == "planned" && list(&reported, "targets").len() == 3, "{reported}");
    for pid in &doomed {
        ensure!(runs(*pid)?, "{pid} ended by being looked at");
    }
    // The server had not set SO_REUSEADDR, so the remains of the connection are in the way.
    let reported = ask(setting, &[&words[..], &["--yes"]].concat(), 1)?;
    ensure!(
        reported["cause"]["code"] == "time-wait" || reported["cause"]["code"] == "connection",
        "{reported}"
    );
    for pid in doomed {
        ensure!(outcome(&reported, pid) == Some("ended") && !runs(pid)?, "{pid}: {reported}");
    }
    for pid in spared {
        ensure!(outcome(&reported, pid).is_none() && runs(pid)?, "{pid}: {reported}");
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

/// TIME_WAIT has no process to stop, and the output shows how long it lasts; a client on its own local port is not
/// stopped.
pub(super) fn left_alone(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let (left, _) = contested.leave_time_wait("leaver")?;
    let there = of(&contested.actors, "holder")?;
    let reported = ask(setting, &["free", &left.to_string(), "--yes", "--netns", &there], 1)?;
    // The client closed first.
    ensure!(reported["cause"]["code"] == "outgoing" && list(&reported, "stopped").is_empty(), "{reported}");
    let wait =
        list(&reported, "fixes").iter().find(|fix| fix["code"] == "wait").context("no word of waiting")?;
    ensure!(wait["text"].as_str().is_some_and(|text| text.contains("ends in")), "{reported}");
    let mut actors = Actors::default();
    let port = Ports::new().take()?;
    done(&mut actors, "server", &Action::NewNetns)?;
    done(&mut actors, "client", &Action::JoinNetns { of: "server".to_owned(), pid: 0 })?;
    done(&mut actors, "server", &listener("old", port))?;
    let own = connect(&mut actors, port)?.to_string();
    let reported = ask(setting, &["free", &own, "--yes", "--netns", &of(&actors, "server")?], 1)?;
    ensure!(reported["cause"]["code"] == "outgoing" && list(&reported, "stopped").is_empty(), "{reported}");
    ensure!(runs(actors.pid("client").context("no client")?)?, "the client was stopped");
    Ok(())
}

/// Between the plan and the confirmation, the process ends and another process gets its pid, and even the port: the new
/// process survives.
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
        let reported: Value = serde_json::from_str(ended.stdout.first().context("no answer")?)?;
        ensure!(outcome(&reported, pid) == Some("gone") && reported["free"] == !takes_port, "{reported}");
        ensure!(runs(pid)?, "the heir of the number was stopped: {reported}");
        done(&mut actors, "heir", &Action::Rename { name: "alive".to_owned() })?;
        actors.perform("heir", &Action::Exit)?;
    }
    Ok(())
}

/// Starts an actor with this pid.
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

/// A terminal with simulated input.
struct Terminal(OwnedFd);

impl Terminal {
    fn new() -> anyhow::Result<Self> {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&controller)?;
        unlockpt(&controller)?;
        Ok(Self(controller))
    }

    /// The end from which a program reads.
    fn line(&self) -> anyhow::Result<Stdio> {
        let name = ptsname(&self.0, Vec::new())?;
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
        Ok(rustix::fs::open(name, flags, rustix::fs::Mode::empty())?.into())
    }

    fn type_in(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(std::fs::File::from(self.0.try_clone()?).write_all(text.as_bytes())?)
    }
}

/// `free` does not stop its own ancestors.
pub(super) fn ancestor(setting: Setting<'_>) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port().to_string();
    let reported = ask(setting, &["free", &port, "--yes"], 1)?;
    let obstacle = list(&reported, "obstacles").first().context("no obstacle")?;
    ensure!(obstacle["reason"] == "own" && obstacle["process"]["pid"] == std::process::id(), "{reported}");
    ensure!(reported["stage"] == "forbidden" && list(&reported, "stopped").is_empty(), "{reported}");
    Ok(())
}

/// Without a terminal and without `--yes`, nothing is changed.
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

/// A stale socket file is removed; a live one and other files are not.
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
        let reported = ask(setting, &["free", &path.display().to_string(), "--yes"], code)?;
        ensure!(reported["cause"]["code"].as_str() == cause, "{reported}");
        ensure!(path.symlink_metadata().is_ok() == (code == 1), "{}: {reported}", path.display());
    }
    Ok(())
}
