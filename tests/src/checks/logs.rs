//! `explain` and `compare`, with the errors that real programs print and with recordings.

use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context as _, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use serde_json::Value;

use super::setting::Setting;
use super::support::{ContestedPort, exited};
use crate::actor::Protocol;
use crate::programs::{self, Program};
use crate::scratch::Scratch;
use crate::sys::net;
use crate::tracer::{Ended, Tracer};

/// A program that wants the port, and the wording of its error. `PORT` stands for the port.
struct Caller {
    program: Program,
    arguments: &'static [&'static str],
    source: &'static str,
    cause: &'static str,
}

/// Their lines contain the port or not, and the time or not.
const CALLERS: &[Caller] = &[
    Caller {
        program: programs::PYTHON,
        arguments: &["-m", "http.server", "--bind", "127.0.0.1", "PORT"],
        source: "Python",
        cause: "listener",
    },
    Caller {
        program: programs::PERL,
        arguments: &[
            "-MIO::Socket::INET",
            "-e",
            "IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => PORT) \
             or die \"cannot listen: $@\"",
        ],
        source: "Perl",
        cause: "listener",
    },
    Caller {
        program: programs::PYTHON,
        arguments: &[
            "-c",
            "import asyncio; asyncio.run(asyncio.wait_for(asyncio.start_server(print, '127.0.0.1', PORT), 9))",
        ],
        source: "Python asyncio",
        cause: "listener",
    },
    Caller {
        program: programs::PYTHON,
        arguments: &[
            "-c",
            "import logging, socket\n\
             logging.basicConfig(format='%(asctime)s %(levelname)s %(message)s')\n\
             try: socket.create_server(('127.0.0.1', PORT))\n\
             except OSError: logging.exception('no server')",
        ],
        source: "Python",
        cause: "listener",
    },
    Caller {
        program: programs::NODE,
        arguments: &["-e", "require('http').createServer().listen(PORT, '127.0.0.1')"],
        source: "Node.js",
        cause: "listener",
    },
    Caller {
        program: programs::NODE,
        arguments: &["-e", "require('dgram').createSocket('udp4').bind(PORT, '127.0.0.1')"],
        source: "Node.js",
        cause: "listener",
    },
    Caller {
        program: programs::SOCAT,
        arguments: &["TCP-LISTEN:PORT,bind=127.0.0.1", "-"],
        source: "socat",
        cause: "listener",
    },
    // This program sets SO_REUSEPORT, which means nothing against another program.
    Caller {
        program: programs::NETCAT,
        arguments: &["-l", "127.0.0.1", "PORT"],
        source: "netcat",
        cause: "listener",
    },
];

/// An error that a program is expected to cause.
struct Expected {
    pid: u32,
    source: &'static str,
    cause: &'static str,
    command: String,
}

/// Every program's error is matched with its own refusal.
pub(super) fn explain(setting: Setting<'_>) -> anyhow::Result<()> {
    let (recording, log) = (Scratch::new("explain.jsonl"), Scratch::new("explain.log"));
    let options = ["-o", "json", "--output", path(&recording)?];
    let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
    // Only this thread, and the programs that it starts, are in a separate namespace.
    let expected = std::thread::scope(|scope| scope.spawn(|| contested(setting, log.path())).join());
    let expected = expected.ok().context("the thread panicked")??;
    exited(&tracer.stop(Signal::INT)?, 0)?;
    let shown = run(setting, &["explain", path(&log)?, "--record", path(&recording)?, "-o", "json"], 0)?;
    let printed = std::fs::read_to_string(log.path())?;
    ensure!(shown.len() == expected.len(), "{} lines for:\n{printed}\n{}", expected.len(), shown.join("\n"));
    for (line, Expected { pid, source, cause, command }) in shown.iter().zip(&expected) {
        let line: Value = serde_json::from_str(line)?;
        let refusal = line.get("refusal").context("no refusal")?;
        let found = (
            line.pointer("/log/source").and_then(Value::as_str),
            refusal.pointer("/process/pid").and_then(Value::as_u64),
            refusal.pointer("/cause/code").and_then(Value::as_str),
        );
        let wanted = (Some(*source), Some(u64::from(*pid)), Some(*cause));
        ensure!(found == wanted, "{command}: expected {wanted:?}, got {found:?}:\n{printed}\n{line:#}");
    }
    let text = run(setting, &["explain", path(&log)?, "--record", path(&recording)?], 0)?.join("\n");
    ensure!(text.matches("  held by   ").count() == expected.len(), "not every holder is shown:\n{text}");
    let text = run(setting, &["explain", path(&log)?], 0)?.join("\n");
    ensure!(!text.contains("held by") && text.contains("portbind who"), "it guesses:\n{text}");
    run(setting, &["explain", path(&recording)?], 1).map(|_| ())
}

/// Holds a port of a new namespace, makes every program request it, and records what they print.
fn contested(setting: Setting<'_>, log: &Path) -> anyhow::Result<Vec<Expected>> {
    net::new_namespace()?;
    net::loopback_up()?;
    let holder = TcpListener::bind("127.0.0.1:0")?;
    let port = holder.local_addr()?.port();
    let _datagrams = UdpSocket::bind(("127.0.0.1", port))?;
    let mut log = std::fs::File::create(log)?;
    let mut expected = Vec::new();
    for Caller { program, arguments, source, cause } in CALLERS {
        if !setting.skipped.lets_use(*program, setting.others) {
            continue;
        }
        let arguments = arguments.iter().map(|argument| argument.replace("PORT", &port.to_string()));
        let mut command = program.command()?;
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().with_context(|| format!("cannot start {}", program.name))?;
        let pid = child.id();
        let output = ended(child).with_context(|| format!("{command:?}"))?;
        log.write_all(&[output.stdout, output.stderr].concat())?;
        expected.push(Expected { pid, source, cause, command: format!("{command:?}") });
    }
    Ok(expected)
}

/// The output of a program that ends soon: without a refusal, it would run for ever.
fn ended(mut child: Child) -> anyhow::Result<Output> {
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let patience = Timespec { tv_sec: 20, tv_nsec: 0 };
    if poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&patience))? == 0 {
        child.kill()?;
        let output = child.wait_with_output()?;
        bail!("it does not end, and says {:?}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(child.wait_with_output()?)
}

/// The new, unchanged and gone fingerprints of two recordings.
pub(super) fn compare(setting: Setting<'_>) -> anyhow::Result<()> {
    let (before, after) = (Scratch::new("before.jsonl"), Scratch::new("after.jsonl"));
    record(setting, &before, &[Protocol::Tcp, Protocol::Tcp, Protocol::Udp])?;
    record(setting, &after, &[Protocol::Tcp])?;
    let changes = |from: &Scratch, to: &Scratch, status| -> anyhow::Result<Vec<(String, String)>> {
        let shown = run(setting, &["compare", path(from)?, "-o", "json", "--", path(to)?], status)?;
        let [line] = shown.as_slice() else { bail!("not one line:\n{}", shown.join("\n")) };
        let line: Value = serde_json::from_str(line)?;
        let changes = line.get("changes").and_then(Value::as_array).context("no changes")?;
        let word = |change: &Value, name: &str| Some(change.get(name)?.as_str()?.to_owned());
        changes
            .iter()
            .map(|change| word(change, "fate").zip(word(change, "asked")).context("no fate"))
            .collect()
    };
    let fates = |changes: Vec<(String, String)>| -> Vec<String> {
        changes.into_iter().map(|(fate, asked)| format!("{fate} {asked}")).collect()
    };
    // The ports differ between the recordings, but their class does not.
    let same = fates(changes(&before, &before, 0)?);
    ensure!(same == ["still bind tcp ephemeral", "still bind udp ephemeral"], "{same:?}");
    let gone = fates(changes(&before, &after, 0)?);
    ensure!(gone == ["still bind tcp ephemeral", "gone bind udp ephemeral"], "{gone:?}");
    let new = fates(changes(&after, &before, 1)?);
    ensure!(new == ["new bind udp ephemeral", "still bind tcp ephemeral"], "{new:?}");
    let text = run(setting, &["compare", path(&before)?, "--", path(&after)?], 0)?.join("\n");
    ensure!(text.contains("before  3 refusals in 1 run\nafter   1 refusal in 1 run\n"), "{text}");
    run(setting, &["compare", path(&before)?], 2)?;
    run(setting, &["compare", path(&before)?, "--", "/no-such-folder/recording"], 2).map(|_| ())
}

/// A recording with one refusal per protocol, of an ephemeral port.
fn record(setting: Setting<'_>, file: &Scratch, protocols: &[Protocol]) -> anyhow::Result<()> {
    let mut quarrels = Vec::new();
    for protocol in protocols {
        let mut contested = ContestedPort::new(*protocol)?;
        contested.hold_any()?;
        quarrels.push(contested);
    }
    let ports: Vec<String> = quarrels.iter().map(|contested| contested.port.to_string()).collect();
    let options = ["-o", "json", "-P", &ports.join(","), "--output", path(file)?];
    let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
    for contested in &mut quarrels {
        contested.refuse("binder", 1)?;
    }
    exited(&tracer.stop(Signal::INT)?, 0)
}

fn path(file: &Scratch) -> anyhow::Result<&str> {
    file.path().to_str().context("the folder for temporary files has an odd name")
}

/// The output of portbind, which must end with this status.
fn run(setting: Setting<'_>, arguments: &[&str], status: i32) -> anyhow::Result<Vec<String>> {
    let ended: Ended = Tracer::spawn(Command::new(setting.portbind).args(arguments))?.end()?;
    exited(&ended, status).with_context(|| arguments.join(" "))?;
    Ok(ended.stdout)
}
