//! No process can hide the refusals of others, keep a run from ending, or make memory grow without bound.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use portbind::host::generation;
use portbind::kernel::backend::Backend;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::setting::Setting;
use super::support::{ContestedPort, PATIENCE, SOON, exited};
use crate::actor::Protocol;
use crate::ports::Ports;
use crate::tracer::Tracer;

/// User and group of the process that keeps the tracer busy.
const OTHER_USER: u32 = 65_534;
/// Processes that share the listener, and refusals per second on its port.
const HOLDERS: u32 = 600;
const RATE: u32 = 300;
/// Processes of a user id each.
const USERS: u32 = 4096;
/// Refusals of another process meanwhile, and their interval, which is too long for them to be coalesced.
const INNOCENT: u32 = 100;
const PAUSE: Duration = Duration::from_millis(80);
/// How long a run may continue after the first signal.
const END: Duration = Duration::from_secs(1);
/// Attempts: another load on the machine can delay the end.
const TRIES: usize = 3;
/// Processes of the soak, refusals per process, and the memory that portbind may use for them, in KiB.
const MAYFLIES: u32 = 6000;
const REFUSALS: u32 = 20;
const MEMORY_KB: u64 = 8 * 1024;

/// Processes that share a listener. Dropping this ends them.
struct Crowd(Child);

/// Makes a crowd on a port.
type Gather = fn(u16) -> anyhow::Result<Crowd>;

impl Crowd {
    /// Many holders of one user, and one process that is refused.
    fn of_holders(port: u16) -> anyhow::Result<Self> {
        let numbers = [port.to_string(), HOLDERS.to_string(), RATE.to_string()];
        Self::gather(Self::command("crowd").args(numbers).uid(OTHER_USER).gid(OTHER_USER))
    }

    /// Processes of as many users, all of which hold the port and are refused it.
    fn of_users(port: u16) -> anyhow::Result<Self> {
        Self::gather(Self::command("users").args([port.to_string(), USERS.to_string()]))
    }

    /// A process of low priority that is refused, and one that keeps it waiting, on each processor.
    fn of_waiters(port: u16) -> anyhow::Result<Self> {
        Self::gather(Self::command("waiters").arg(port.to_string()).uid(OTHER_USER).gid(OTHER_USER))
    }

    fn command(subject: &str) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command.args(["wrapped", subject]);
        command
    }

    fn gather(command: &mut Command) -> anyhow::Result<Self> {
        let mut crowd = Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?);
        let mut ready = String::new();
        BufReader::new(crowd.0.stdout.as_mut().context("no output")?).read_line(&mut ready)?;
        ensure!(ready == "ready\n", "the crowd says {ready:?}");
        Ok(crowd)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // Closing the input ends the processes; they hold the output until then.
        drop(self.0.stdin.take());
        let _all = self.0.stdout.take().map(|mut all| all.read_to_end(&mut Vec::new()));
        let _status = self.0.wait();
    }
}

/// While a crowd that shares a socket is refused continuously, every refusal of another process is shown in each
/// format; the output about the crowd is bounded, and portbind ends within a second.
pub(super) fn nobody_is_blinded(setting: Setting<'_>) -> anyhow::Result<()> {
    blinds_nobody(setting, Crowd::of_holders)
}

/// The same while 4,096 processes of a user id each, in a user namespace of one user, do it on all processors.
pub(super) fn nobody_is_blinded_by_users(setting: Setting<'_>) -> anyhow::Result<()> {
    blinds_nobody(setting, Crowd::of_users)
}

/// The same while threads are often stopped in the middle of a call.
pub(super) fn nobody_is_blinded_by_who_waits(setting: Setting<'_>) -> anyhow::Result<()> {
    /// Refusals that the first choice of this kernel has to show. A read of portbind's own maps may hide a few.
    const LEAST: u32 = 95;
    let (_, shown) = blinded(setting, "json", Crowd::of_waiters)?;
    let is_first_choice = Backend::preferred(generation())[0].as_str() == setting.backend;
    ensure!(shown >= LEAST || !is_first_choice, "{shown} of {INNOCENT} are shown");
    println!("{}: {shown} of {INNOCENT} are shown", setting.backend);
    Ok(())
}

fn blinds_nobody(setting: Setting<'_>, gather: Gather) -> anyhow::Result<()> {
    for format in ["json", "text", "brief"] {
        let mut ends = Vec::new();
        for _ in 0..TRIES {
            let (took, _) = blinded(setting, format, gather)?;
            ends.push(took);
            if took <= END {
                break;
            }
        }
        ensure!(ends.iter().any(|took| *took <= END), "{format}: the end took {ends:?}");
    }
    Ok(())
}

/// Returns how long portbind took to end, and how many refusals of the other process are shown.
fn blinded(setting: Setting<'_>, format: &str, gather: Gather) -> anyhow::Result<(Duration, u32)> {
    let mut innocent = ContestedPort::new(Protocol::Tcp)?;
    let mut ports = Ports::new();
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", format, "--color", "never"])?;
    let crowd = gather(ports.take()?)?;
    for _ in 0..INNOCENT {
        innocent.refuse("innocent", 1)?;
        sleep(PAUSE);
    }
    let begin = Instant::now();
    let ended = tracer.stop(Signal::INT)?;
    let took = begin.elapsed();
    drop(crowd);
    exited(&ended, 0)?;
    let asked = match format {
        "json" => format!("\"address\":\"127.0.0.1\",\"port\":{}", innocent.port),
        _ => format!("127.0.0.1:{} ", innocent.port),
    };
    let is_refusal = |line: &&String| {
        let mark = if format == "json" { "\"kind\":\"refusal\"" } else { "EADDRINUSE" };
        line.contains(mark) && line.contains(&asked)
    };
    let shown = u32::try_from(ended.stdout.iter().filter(is_refusal).count())?;
    let missed = u64::from(INNOCENT.saturating_sub(shown));
    ensure!(
        missed <= ended.passed_over(),
        "{format}: {shown} of {INNOCENT} are shown:\n{}",
        ended.stderr.join("\n")
    );
    let longest = ended.stdout.iter().map(String::len).max().unwrap_or(0);
    ensure!(longest < 64 * 1024, "{format}: a line of {longest} bytes");
    let account = ended.account()?;
    let parts = account.shown + account.coalesced + account.filtered + account.lost;
    ensure!(parts == account.refused, "the parts are not the whole: {account:?}");
    Ok((took, shown))
}

/// If no process reads the output, a run ends within a second of the first signal, and reports how many refusals were
/// not written.
pub(super) fn blocked_output(setting: Setting<'_>) -> anyhow::Result<()> {
    for format in ["json", "text", "brief"] {
        let mut contested = ContestedPort::new(Protocol::Tcp)?;
        let mut ends = Vec::new();
        for _ in 0..TRIES {
            let took = blocked(setting, format, &mut contested)?;
            ends.push(took);
            if took <= END {
                break;
            }
        }
        ensure!(ends.iter().any(|took| *took <= END), "{format}: the end took {ends:?}");
    }
    Ok(())
}

fn blocked(setting: Setting<'_>, format: &str, contested: &mut ContestedPort) -> anyhow::Result<Duration> {
    let (reader, pipe) = std::io::pipe()?;
    let mut command = Command::new(setting.portbind);
    command.args(["trace", "-o", format, "--color", "never", "--backend", setting.backend]);
    let tracer = Tracer::spawn_into(&mut command, Stdio::from(pipe))?;
    tracer.armed()?;
    // More than a pipe holds (64 KiB); each refusal is of a different process.
    for number in 0..150 {
        let name = format!("asker {number}");
        contested.refuse(&name, 8)?;
    }
    let begin = Instant::now();
    let ended = tracer.stop(Signal::INT)?;
    let took = begin.elapsed();
    drop(reader);
    exited(&ended, 0)?;
    let account = ended.account()?;
    let parts = account.shown + account.coalesced + account.filtered + account.lost;
    ensure!(parts == account.refused && account.refused >= 1200, "{account:?}");
    ensure!(
        account.lost == 0 || ended.stderr.iter().any(|line| line.contains("not written")),
        "it is not said that events were not written:\n{}",
        ended.stderr.join("\n")
    );
    Ok(took)
}

/// If no process reads the debug lines on standard error, portbind still ends.
pub(super) fn blocked_debug_lines(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut ends = Vec::new();
    for _ in 0..TRIES {
        let mut command = Command::new(setting.portbind);
        command.args(["trace", "-vv", "-o", "json", "--output", "/dev/null", "--backend", setting.backend]);
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let mut said = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let is_armed = said.any(|line| line.is_ok_and(|line| line.contains("tracing with")));
        let mut contested = ContestedPort::new(Protocol::Tcp)?;
        // More than a pipe and portbind's own buffer hold (320 KiB), at more than 100 bytes per line.
        for number in 0..50 {
            contested.refuse(&format!("asker {number}"), 80)?;
        }
        let begin = Instant::now();
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::INT)?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        let patience = Timespec::try_from(SOON)?;
        let has_ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&patience))? > 0;
        ends.push(begin.elapsed());
        child.kill()?;
        child.wait()?;
        ensure!(is_armed && has_ended, "armed: {is_armed}; no end after {ends:?}");
        if ends.last().is_some_and(|took| *took <= END) {
            return Ok(());
        }
    }
    bail!("the end took {ends:?}")
}

/// The memory for ended processes is bounded.
pub(super) fn memory(setting: Setting<'_>) -> anyhow::Result<()> {
    let contested = ContestedPort::new(Protocol::Tcp)?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "--output", "/dev/null"])?;
    let (port, count) = (contested.port.to_string(), (MAYFLIES * setting.times).to_string());
    let mut command = Command::new("/proc/self/exe");
    command.args(["wrapped", "mayflies", &port, &count, &REFUSALS.to_string()]);
    let done = command.output()?;
    ensure!(done.stdout == b"done\n", "{}", String::from_utf8_lossy(&done.stderr));
    let kept = super::history::private_kb(tracer.pid())?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let account = ended.account()?;
    let parts = account.shown + account.coalesced + account.filtered + account.lost;
    ensure!(parts == account.refused, "the parts are not the whole: {account:?}");
    ensure!(
        kept <= MEMORY_KB,
        "{kept} KiB are kept after {count} processes, at most {MEMORY_KB} are allowed"
    );
    Ok(())
}

/// A second signal ends a run at once.
pub(super) fn second_signal(setting: Setting<'_>) -> anyhow::Result<()> {
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    // While portbind is stopped, two different signals are pending; it receives one after the other.
    tracer.pause()?;
    tracer.signal(Signal::INT)?;
    tracer.signal(Signal::TERM)?;
    let begin = Instant::now();
    tracer.signal(Signal::CONT)?;
    let ended = tracer.end()?;
    ensure!(begin.elapsed() < PATIENCE / 10, "it took {:?}", begin.elapsed());
    let signal = std::os::unix::process::ExitStatusExt::signal(&ended.status);
    ensure!(matches!(signal, Some(2 | 15)), "it ended with {}", ended.status);
    Ok(())
}
