//! Situations of real reports, with real programs: cause, relation and first remedy, and that the remedy works.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::run::Recording;
use super::setting::Setting;
use crate::programs;
use crate::scratch::Scratch;
use crate::sys::net;

/// What a refusal must say.
struct Expected {
    cause: &'static str,
    relation: Option<&'static str>,
    /// Code of the first remedy.
    first: Option<&'static str>,
    /// Codes that must not be among the remedies.
    never: &'static [&'static str],
    /// Words of the cause.
    says: &'static str,
}

/// A listener is closed, one of its connections is still open, and the port is bound again; then with the remedy.
const OWN_CONNECTION: &str = "
import socket
def again(port, reuse):
    def listener():
        s = socket.socket()
        if reuse: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', port)); s.listen(); return s
    l = listener(); c = socket.create_connection(('127.0.0.1', port)); a, _ = l.accept(); l.close()
    return listener()
try: again(8426, False)
except OSError: again(8427, True)
else: raise SystemExit(9)
";
/// A process listens, and a child that it starts binds the same port.
const CHILD: &str = "
import socket, subprocess, sys
s = socket.socket(); s.bind(('127.0.0.1', 8431)); s.listen()
child = 'import socket; socket.socket().bind((\"127.0.0.1\", 8431))'
raise SystemExit(subprocess.run([sys.executable, '-c', child], stderr=subprocess.DEVNULL).returncode != 1)
";
/// Two programs on the port of mDNS, of which only the second one sets SO_REUSEADDR; then both.
const MULTICAST: &str = "
import socket, subprocess, sys
code = 'import socket; s = socket.socket(type=socket.SOCK_DGRAM);' \\
    's.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((\"0.0.0.0\", 5353))'
def second(reuse):
    s = socket.socket(type=socket.SOCK_DGRAM)
    if reuse: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('0.0.0.0', 5353))
    return subprocess.run([sys.executable, '-c', code], stderr=subprocess.DEVNULL).returncode
raise SystemExit((second(False), second(True)) != (1, 0))
";
/// A bind that is refused, to whoever holds the port.
const REFUSED: &str = "
import socket
try: socket.socket().bind(('127.0.0.1', 8491))
except OSError: raise SystemExit(0)
raise SystemExit(9)
";
/// A listener that is inherited by sleep(1), whose parent ends: prints the pid of sleep.
const LEAVES_SLEEP: &str = "
import os, socket
s = socket.socket(); s.bind(('127.0.0.1', 8491)); s.listen(); s.set_inheritable(True)
pid = os.fork()
if pid == 0:
    os.close(1); os.close(2)
    os.execv('/usr/bin/sleep', ['sleep', '60'])
print(pid, flush=True)
";
/// Listens until standard input ends; is refused if the port is taken.
const SERVER: &str = "
import socket, sys
s = socket.socket()
try: s.bind(('127.0.0.1', 8491)); s.listen()
except OSError: raise SystemExit(0)
print(flush=True); sys.stdin.read()
";

/// As [`SERVER`]; if the port is taken, lives on until the recording has the refusal, or for five seconds.
const PATIENT_SERVER: &str = "
import socket, sys, time
s = socket.socket()
end = time.monotonic() + 5
try: s.bind(('127.0.0.1', 8491)); s.listen()
except OSError:
    while time.monotonic() < end and b'refusal' not in open(sys.argv[1], 'rb').read(): time.sleep(0.01)
    raise SystemExit(0)
print(flush=True); sys.stdin.read()
";

/// The situations that one program makes by itself.
const SITUATIONS: [(&str, Expected); 3] = [
    (
        OWN_CONNECTION,
        Expected {
            cause: "own-socket",
            relation: None,
            first: Some("reuse-address-both"),
            never: &["close-first", "other-port", "stop-holder"],
            says: "accepted before",
        },
    ),
    (
        CHILD,
        Expected {
            cause: "listener",
            relation: Some("ancestor"),
            first: Some("open-once"),
            never: &["stop-holder"],
            says: "listening",
        },
    ),
    (
        MULTICAST,
        Expected {
            cause: "listener",
            relation: Some("ancestor"),
            first: Some("reuse-address-other"),
            never: &["other-port", "stop-holder"],
            says: "receives",
        },
    ),
];

/// Plays the situations, each in a network namespace of its own.
pub(super) fn situations(setting: Setting<'_>) -> anyhow::Result<()> {
    for (code, expected) in &SITUATIONS {
        apart(|| verify(&run(setting, &["-c", code])?, expected)).with_context(|| code.to_string())?;
    }
    Ok(())
}

/// A listener that was inherited before tracing began is recognized by its state.
pub(super) fn inherited(setting: Setting<'_>) -> anyhow::Result<()> {
    let expected = Expected {
        cause: "inherited",
        relation: None,
        first: Some("close-on-exec"),
        never: &[],
        says: "probably inherited",
    };
    apart(|| {
        let output = programs::PYTHON.command()?.args(["-c", LEAVES_SLEEP]).output()?;
        let pid: i32 = std::str::from_utf8(&output.stdout)?.trim().parse()?;
        let shown = run(setting, &["-c", REFUSED]).and_then(|refusal| verify(&refusal, &expected));
        let pid = rustix::process::Pid::from_raw(pid).context("no pid")?;
        rustix::process::kill_process(pid, rustix::process::Signal::KILL)?;
        shown
    })
}

/// An earlier run of the same command.
pub(super) fn earlier_run(setting: Setting<'_>) -> anyhow::Result<()> {
    let expected = Expected {
        cause: "same-program",
        relation: Some("earlier-run"),
        first: Some("other-port"),
        never: &[],
        says: "another instance",
    };
    let script = Scratch::new("server.py");
    std::fs::write(script.path(), SERVER)?;
    let path = script.path().to_str().context("no UTF-8")?;
    apart(|| {
        let mut first = started(programs::PYTHON.command()?.arg(path))?;
        let shown = run(setting, &[path]).and_then(|refusal| verify(&refusal, &expected));
        drop(first.stdin.take());
        first.wait()?;
        shown
    })
}

/// Two checkouts of one project, of which one is a linked work tree: the branches are read as the user of the process.
pub(super) fn branches(setting: Setting<'_>) -> anyhow::Result<()> {
    let place = Scratch::new("checkouts");
    let at = |path: &str| place.path().join(path);
    for folder in ["one/.git/worktrees/two", "two"] {
        std::fs::create_dir_all(at(folder))?;
    }
    std::fs::write(at("one/.git/HEAD"), "ref: refs/heads/main\n")?;
    std::fs::write(at("one/.git/worktrees/two/HEAD"), "ref: refs/heads/topic\n")?;
    std::fs::write(at("two/.git"), format!("gitdir: {}\n", at("one/.git/worktrees/two").display()))?;
    for folder in ["one", "two"] {
        std::fs::write(at(folder).join("server.py"), PATIENT_SERVER)?;
    }
    apart(|| {
        let mut first = started(programs::PYTHON.command()?.arg("server.py").current_dir(at("one")))?;
        let recording = Recording::new("branches");
        let mut command = Command::new(std::fs::canonicalize(setting.portbind)?);
        command.args(["run", "--backend", setting.backend, &recording.option(), "--"]).current_dir(at("two"));
        let output = command
            .args([programs::PYTHON.path, "server.py"])
            .arg(recording.path())
            .stdin(Stdio::null())
            .output()?;
        drop(first.stdin.take());
        first.wait()?;
        let refusals = recording.lines("refusal")?;
        let branch = |place| refusals.first().and_then(|refusal| refusal.pointer(place)?.as_str());
        let shown = (branch("/process/branch"), branch("/holders/0/processes/0/branch"));
        ensure!(shown == (Some("topic"), Some("main")), "{shown:?}: {refusals:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        ensure!(text.contains("(branch topic)") && text.contains("(branch main)"), "{text}");
        Ok(())
    })
}

/// Starts a server, and waits until it listens.
fn started(command: &mut Command) -> anyhow::Result<Child> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().context("no standard output")?;
    BufReader::new(stdout).read_line(&mut String::new())?;
    Ok(child)
}

/// Does something in a thread with a network namespace of its own, in which the programs that it starts are, too.
fn apart(work: impl FnOnce() -> anyhow::Result<()> + Send) -> anyhow::Result<()> {
    let inside = || {
        net::new_namespace()?;
        net::loopback_up()?;
        work()
    };
    std::thread::scope(|scope| scope.spawn(inside).join()).ok().context("the thread panicked")?
}

/// The only refusal of `portbind run -- python3 ARGUMENTS`, which must end with status 0.
fn run(setting: Setting<'_>, arguments: &[&str]) -> anyhow::Result<Value> {
    let recording = Recording::new("field");
    let mut command = Command::new(setting.portbind);
    command.args(["run", "--backend", setting.backend, &recording.option(), "--"]);
    let output = command.arg(programs::PYTHON.path).args(arguments).stdin(Stdio::null()).output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {stderr}", output.status);
    let mut refusals = recording.lines("refusal")?;
    ensure!(refusals.len() == 1, "{} refusals: {stderr}", refusals.len());
    refusals.pop().context("no refusal")
}

fn verify(refusal: &Value, expected: &Expected) -> anyhow::Result<()> {
    let word = |place: &str| refusal.pointer(place).and_then(Value::as_str);
    let fixes = refusal["fixes"].as_array().context("no remedies")?;
    let codes: Vec<&str> = fixes.iter().filter_map(|fix| fix["code"].as_str()).collect();
    let shown = (word("/cause/code"), word("/relation/code"), codes.first().copied());
    let wanted = (Some(expected.cause), expected.relation, expected.first);
    ensure!(shown == wanted, "expected {wanted:?}, got {shown:?}: {refusal}");
    ensure!(word("/cause/summary").is_some_and(|text| text.contains(expected.says)), "{refusal}");
    ensure!(!codes.iter().any(|code| expected.never.contains(code)), "useless remedies: {codes:?}");
    Ok(())
}
