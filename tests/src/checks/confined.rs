//! The rights that portbind keeps while it traces.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::setting::Setting;
use super::support::{ContestedPort, SOON, events, exited};
use crate::actor::{Action, Protocol};
use crate::event::Event;
use crate::programs;
use crate::scratch::Scratch;
use crate::tracer::Tracer;

/// Capabilities by their numbers in include/uapi/linux/capability.h.
const DAC_OVERRIDE: u64 = 1 << 1;
const DAC_READ_SEARCH: u64 = 1 << 2;
const FOWNER: u64 = 1 << 3;
const KILL: u64 = 1 << 5;
const SETGID: u64 = 1 << 6;
const SETUID: u64 = 1 << 7;
const NET_BIND_SERVICE: u64 = 1 << 10;
const SYS_PTRACE: u64 = 1 << 19;
const SYS_ADMIN: u64 = 1 << 21;
const BPF: u64 = 1 << 39;

/// The capabilities that look-ups require.
const LOOKING: u64 = SYS_PTRACE | DAC_READ_SEARCH | NET_BIND_SERVICE;
const WRITER: u64 = DAC_OVERRIDE | DAC_READ_SEARCH | FOWNER;
const BROKER: u64 = SYS_ADMIN | DAC_READ_SEARCH | DAC_OVERRIDE;

/// Index of the nice value in `/proc/PID/stat`, after the name (proc_pid_stat(5)).
const NICE: usize = 16;

/// A user without privileges.
const NOBODY: u32 = 65_534;

/// The rights of `trace` and of its broker, in each of their threads.
pub(super) fn trace_keeps_little(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    // Other processes on this machine may have more refusals than can be reported in time.
    let port = contested.port.to_string();
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-P", &port])?;
    let looking = LOOKING | if needs_bpf()? { BPF } else { 0 };
    let broker = broker_of(tracer.pid())?;
    let reader = child_of(tracer.pid(), "__work-tree")?.context("no reader of work trees")?;
    little_is_left(&threads_of(tracer.pid())?, looking)?;
    let pid = contested.refuse("binder", 1)?;
    contested.actors.perform("elsewhere", &Action::NewNetns)?;
    let reported = |lines: &[String]| lines.iter().any(|line| line.contains(&format!("\"pid\":{pid},")));
    ensure!(
        tracer.stdout.wait(SOON, reported),
        "the refusal was not reported:\n{}",
        tracer.stdout.so_far().join("\n")
    );
    little_is_left(&threads_of(tracer.pid())?, looking)?;
    little_is_left(&threads_of(broker)?, BROKER)?;
    little_is_left(&threads_of(reader)?, SETUID | SETGID)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    ended.account()?.check()?;
    ensure!(!Path::new(&format!("/proc/{broker}/exe")).exists(), "the broker outlives the trace");
    Ok(())
}

/// The rights of `run`, and of the helper that writes its report, while the command runs; the command itself keeps all
/// rights.
pub(super) fn run_keeps_little(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut command = Command::new(setting.portbind);
    let report = Scratch::new("confined.html");
    let script = "cat /proc/$PPID/task/*/status; echo =====; cat /proc/self/status; echo =====; \
                  cat /proc/$PPID/stat /proc/$$/stat; echo =====; \
                  for words in $(grep -l -a __[w]riter /proc/[0-9]*/cmdline); do \
                  grep -q \"^PPid:.$PPID$\" ${words%cmdline}status && cat ${words%cmdline}task/*/status; done; true";
    command.args(["run", "-q", "--backend", setting.backend, "--report"]).arg(report.path());
    command.args(["--", programs::SH.path, "-c", script]);
    let ended = Tracer::spawn(&mut command)?.end()?;
    exited(&ended, 0)?;
    let text = ended.stdout.join("\n");
    let [portbind, wrapped, stats, writer] = text.split("\n=====\n").collect::<Vec<_>>()[..] else {
        bail!("the command said too little:\n{text}");
    };
    let threads = |text: &str| -> Vec<String> { text.split("Name:\t").skip(1).map(str::to_owned).collect() };
    let looking = LOOKING | KILL | if needs_bpf()? { BPF } else { 0 };
    little_is_left(&threads(portbind), looking)?;
    little_is_left(&threads(writer), WRITER).context("the helper that writes")?;
    let own = std::fs::read_to_string("/proc/self/status")?;
    for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"] {
        ensure!(value(wrapped, name)? == value(&own, name)?, "{name} of the command:\n{wrapped}");
    }
    let nice = |line: &str| line.rsplit(") ").next()?.split(' ').nth(NICE)?.parse().ok();
    let nices: Vec<Option<i32>> = stats.lines().map(nice).collect();
    let usual = rustix::process::getpriority_process(None)?;
    let processors = rustix::thread::sched_getaffinity(None)?.count();
    // A caller with another nice value has chosen it; and a single processor is left to other processes.
    let expected = if usual == 0 && processors > 1 { -10 } else { usual };
    ensure!(nices == [Some(expected), Some(usual)], "nice values of portbind and its command:\n{stats}");
    Ok(())
}

/// Without one of the capabilities, one fact is missing from the output, and nothing else changes.
pub(super) fn each_is_needed(setting: Setting<'_>) -> anyhow::Result<()> {
    let cases: [(&str, Find); 5] = [
        ("sys_ptrace", program_of_holder),
        ("dac_read_search", test_of_holder),
        ("net_bind_service", free_privileged_port),
        ("sys_admin", free_port_elsewhere),
        ("dac_override", stale_socket_file),
    ];
    for (name, find) in cases {
        ensure!(find(setting, None).with_context(|| format!("with {name}"))?, "not reported with {name}");
        ensure!(
            !find(setting, Some(name)).with_context(|| format!("without {name}"))?,
            "reported without {name}"
        );
    }
    Ok(())
}

/// Whether portbind without this capability shows a fact.
type Find = fn(Setting<'_>, Option<&str>) -> anyhow::Result<bool>;

/// If the broker has ended or does not answer, less is shown, and portbind does not wait for it.
pub(super) fn without_broker(setting: Setting<'_>) -> anyhow::Result<()> {
    for signal in [Signal::KILL, Signal::STOP] {
        let mut contested = elsewhere()?;
        let tracer = start(setting, None)?;
        let broker = broker_of(tracer.pid())?;
        let broker = Pid::from_raw(broker.cast_signed()).context("no broker")?;
        kill_process(broker, signal)?;
        let port = contested.port;
        let event = shown(tracer, contested.take("binder", port)?);
        // A stopped process ends only by SIGKILL.
        let _ended = kill_process(broker, Signal::KILL);
        let event = event.with_context(|| format!("{signal:?}"))?;
        ensure!(!has_other_port(&event), "{signal:?}: reported of another namespace: {}", event.line);
    }
    Ok(())
}

fn program_of_holder(setting: Setting<'_>, without: Option<&str>) -> anyhow::Result<bool> {
    Ok(holder(setting, without)?.contains("\"exe\":\"/"))
}

fn test_of_holder(setting: Setting<'_>, without: Option<&str>) -> anyhow::Result<bool> {
    Ok(holder(setting, without)?.contains("api.py::test_old"))
}

/// The output about another user's process that has held a port since before tracing began.
fn holder(setting: Setting<'_>, without: Option<&str>) -> anyhow::Result<String> {
    // Opened here and run there, because the other user may lack access to the folders above it.
    let program = std::fs::File::open("/proc/self/exe")?;
    rustix::io::fcntl_setfd(&program, rustix::io::FdFlags::empty())?;
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&program));
    let mut command = Command::new(path);
    command.arg("hold").uid(NOBODY).gid(NOBODY).env("PYTEST_CURRENT_TEST", "api.py::test_old (call)");
    let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let event = of_holder(setting, without, &mut holder);
    let _killed = holder.kill();
    holder.wait()?;
    let event: serde_json::Value = serde_json::from_str(&event?.line)?;
    Ok(event["holders"][0]["processes"].to_string())
}

fn of_holder(setting: Setting<'_>, without: Option<&str>, holder: &mut Child) -> anyhow::Result<Event> {
    let mut line = String::new();
    let output = holder.stdout.take().context("no output")?;
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)?;
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    contested.port = line.trim().parse()?;
    let tracer = start(setting, without)?;
    shown(tracer, contested.refuse("binder", 1)?)
}

/// The remedy suggests the port above a privileged one.
fn free_privileged_port(setting: Setting<'_>, without: Option<&str>) -> anyhow::Result<bool> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    contested.actors.perform("holder", &Action::Close { socket: "old".to_owned() })?;
    let is_taken =
        |port: &u16| (0..2).all(|more| std::net::TcpListener::bind(("127.0.0.1", port + more)).is_ok());
    contested.port = (700..1000).find(is_taken).context("no privileged port is free")?;
    contested.hold()?;
    let tracer = start(setting, without)?;
    let event = shown(tracer, contested.refuse("binder", 1)?)?;
    let next = format!("{}", contested.port + 1);
    Ok(event.fixes.iter().any(|fix| fix.code == "other-port" && fix.text.contains(&next)))
}

/// The remedy suggests a free port of another network namespace.
fn free_port_elsewhere(setting: Setting<'_>, without: Option<&str>) -> anyhow::Result<bool> {
    let mut contested = elsewhere()?;
    let tracer = start(setting, without)?;
    let port = contested.port;
    Ok(has_other_port(&shown(tracer, contested.take("binder", port)?)?))
}

fn has_other_port(event: &Event) -> bool {
    event.fixes.iter().any(|fix| fix.code == "other-port")
}

/// A port that is held in a separate network namespace.
fn elsewhere() -> anyhow::Result<ContestedPort> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    for action in [Action::Close { socket: "old".to_owned() }, Action::NewNetns] {
        contested.actors.perform("holder", &action)?;
    }
    contested.hold()?;
    Ok(contested)
}

/// A stale socket file of another user is recognized as stale.
fn stale_socket_file(setting: Setting<'_>, without: Option<&str>) -> anyhow::Result<bool> {
    let file = Scratch::new("confined.sock");
    drop(UnixListener::bind(file.path())?);
    chown(file.path(), Some(NOBODY), Some(NOBODY))?;
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o700))?;
    let tracer = start(setting, without)?;
    ensure!(UnixListener::bind(file.path()).is_err(), "the path was free");
    Ok(shown(tracer, std::process::id())?.cause.code == "stale-socket-file")
}

/// A trace by portbind with all capabilities except one.
fn start(setting: Setting<'_>, without: Option<&str>) -> anyhow::Result<Tracer> {
    let mut command = match without {
        None => Command::new(setting.portbind),
        Some(name) => {
            let mut command = programs::SETPRIV.command()?;
            command.args([format!("--bounding-set=-{name}"), format!("--inh-caps=-{name}")]);
            command.arg(setting.portbind);
            command
        }
    };
    command.args(["trace", "-o", "json", "--backend", setting.backend]);
    let tracer = Tracer::spawn(&mut command)?;
    tracer.armed()?;
    Ok(tracer)
}

/// The event of a refusal of this process, which must be shown soon; then the trace ends without losses.
fn shown(tracer: Tracer, pid: u32) -> anyhow::Result<Event> {
    let is_reported = |lines: &[String]| events(lines, pid).is_ok_and(|events| !events.is_empty());
    ensure!(
        tracer.stdout.wait(SOON, is_reported),
        "not reported of {pid}:\n{}",
        tracer.stdout.so_far().join("\n")
    );
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    ended.account()?.check()?;
    events(&ended.stdout, pid)?.into_iter().next().context("no event")
}

/// The status files of all threads of a process.
fn threads_of(pid: u32) -> anyhow::Result<Vec<String>> {
    let mut threads = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        threads.push(std::fs::read_to_string(task?.path().join("status"))?);
    }
    Ok(threads)
}

/// Fails if a thread has or can get more than these capabilities, or is not filtered.
fn little_is_left(threads: &[String], allowed: u64) -> anyhow::Result<()> {
    ensure!(!threads.is_empty(), "no thread was seen");
    for status in threads {
        for (name, most) in
            [("CapInh", 0), ("CapPrm", allowed), ("CapEff", allowed), ("CapBnd", 0), ("CapAmb", 0)]
        {
            let more = u64::from_str_radix(value(status, name)?, 16)? & !most;
            ensure!(more == 0, "{name} has {more:x} too much:\n{status}");
        }
        for (name, expected) in [("NoNewPrivs", "1"), ("Seccomp", "2")] {
            ensure!(value(status, name)? == expected, "{name}:\n{status}");
        }
    }
    Ok(())
}

fn value<'a>(status: &'a str, name: &str) -> anyhow::Result<&'a str> {
    let mut values = status.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    values.next().map(str::trim).with_context(|| format!("no {name}:\n{status}"))
}

/// The broker process of a portbind.
fn broker_of(portbind: u32) -> anyhow::Result<u32> {
    child_of(portbind, "__broker")?.with_context(|| format!("portbind {portbind} has no broker"))
}

/// The child of a process whose command line contains a text.
pub(super) fn child_of(process: u32, text: &str) -> anyhow::Result<Option<u32>> {
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path();
        let words = std::fs::read(path.join("cmdline")).unwrap_or_default();
        let status = std::fs::read_to_string(path.join("status")).unwrap_or_default();
        let is_child = value(&status, "PPid").is_ok_and(|parent| parent == process.to_string());
        if is_child && String::from_utf8_lossy(&words).contains(text) {
            return Ok(Some(value(&status, "Pid")?.parse()?));
        }
    }
    Ok(None)
}

/// Whether look-ups in maps require CAP_BPF, as before 5.19.
fn needs_bpf() -> anyhow::Result<bool> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let mut numbers = release.split(|character: char| !character.is_ascii_digit()).map(str::parse::<u32>);
    let version = (numbers.next().context("no version")??, numbers.next().context("no version")??);
    Ok(version < (5, 19))
}
