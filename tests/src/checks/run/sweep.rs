//! Every system call of `portbind run` fails once: either the command runs to its end and its status is passed on, or
//! it never starts and portbind reports the reason.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Output;

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;

use crate::checks::setting::Setting;
use crate::programs;
use crate::scratch::Scratch;

/// Calls of the allocator, the call that starts portbind, and the call that cannot fail.
const LEFT_OUT: [&str; 8] =
    ["execve", "brk", "mmap", "mremap", "munmap", "madvise", "mprotect", "exit_group"];
/// The exit status of the command.
const STATUS: i32 = 7;
/// Time limit of a run in seconds.
const LIMIT: &str = "20";

/// A call by its name and its position among all calls of that name, starting at 1.
type Call = (String, usize);

/// The first and the last call of each name; with `--times` every call.
pub(in crate::checks) fn every_call_fails_once(setting: Setting<'_>) -> anyhow::Result<()> {
    let run = Run::new(setting)?;
    let calls = run.calls()?;
    ensure!(calls.len() > 100, "strace shows {} calls", calls.len());
    let chosen = if setting.times > 1 { calls } else { ends(&calls) };
    let mut complaints = Vec::new();
    for (name, count) in &chosen {
        let inject = format!("inject={name}:error=EIO:when={count}");
        let output = run.strace(&["-e", &format!("trace={name}"), "-e", &inject], Path::new("/dev/null"))?;
        if let Err(complaint) = run.judge(name, &output) {
            complaints.push(format!("{name} {count}: {complaint:#}"));
        }
    }
    ensure!(complaints.is_empty(), "of {} calls: {}", chosen.len(), complaints.join("\n"));
    Ok(())
}

fn ends(calls: &[Call]) -> Vec<Call> {
    let mut ends: BTreeMap<&str, [&Call; 2]> = BTreeMap::new();
    for call in calls {
        ends.entry(&call.0).and_modify(|ends| ends[1] = call).or_insert([call, call]);
    }
    let mut ends: Vec<Call> = ends.into_values().flatten().cloned().collect();
    ends.dedup();
    ends
}

/// A repeated run.
struct Run {
    arguments: Vec<String>,
    mark: Scratch,
    calls: Scratch,
    _written: [Scratch; 2],
}

impl Run {
    fn new(setting: Setting<'_>) -> anyhow::Result<Self> {
        let [mark, calls, record, report] = ["mark", "calls", "sweep.jsonl", "sweep.html"].map(Scratch::new);
        let portbind = std::fs::canonicalize(setting.portbind)?;
        let command = format!("echo > {}; exit {STATUS}", mark.path().display());
        let arguments = vec![
            portbind.to_str().context("an odd path")?.to_owned(),
            "run".to_owned(),
            format!("--backend={}", setting.backend),
            format!("--record={}", record.path().display()),
            format!("--report={}", report.path().display()),
            "--".to_owned(),
            programs::SH.path.to_owned(),
            "-c".to_owned(),
            command,
        ];
        Ok(Self { arguments, mark, calls, _written: [record, report] })
    }

    /// The run under strace, which follows no other thread or process, and is killed with its group at the time limit.
    fn strace(&self, options: &[&str], calls: &Path) -> anyhow::Result<Output> {
        let _none = std::fs::remove_file(self.mark.path());
        let mut command = programs::TIMEOUT.command()?;
        command.args(["-s", "KILL", LIMIT, programs::STRACE.path, "-o"]).arg(calls).args(options).arg("--");
        Ok(command.args(&self.arguments).output()?)
    }

    /// The calls after the start of `main`. Rust's runtime and the C library abort if one of theirs fails: before
    /// `main`, and in a futex, which is waited on only before a command exists.
    fn calls(&self) -> anyhow::Result<Vec<Call>> {
        let output = self.strace(&[], self.calls.path())?;
        self.judge("nothing", &output)?;
        ensure!(output.status.code() == Some(STATUS), "{}", output.status);
        let text = std::fs::read_to_string(self.calls.path())?;
        let names: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once('(')?.0)).collect();
        // The last step of the runtime is the signal stack of the main thread: it reads the present one, and sets its
        // own.
        let stacks = names.iter().enumerate().filter(|(_, name)| **name == "sigaltstack");
        let (main, _) = stacks.take(2).last().context("there is no start of main")?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut calls = Vec::new();
        for (index, name) in names.into_iter().enumerate() {
            let count = counts.entry(name).or_default();
            *count += 1;
            if index > main && !LEFT_OUT.contains(&name) && name != "futex" {
                calls.push((name.to_owned(), *count));
            }
        }
        Ok(calls)
    }

    fn judge(&self, failed: &str, output: &Output) -> anyhow::Result<()> {
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.signal() == Some(Signal::KILL.as_raw()) {
            bail!("it takes more than {LIMIT} s:\n{said}");
        }
        match (self.mark.path().exists(), output.status.code()) {
            (true, Some(STATUS)) => {}
            (false, Some(125)) => ensure!(!said.is_empty() || failed == "write", "nothing is said of it"),
            (true, _) => bail!("the command has run, its status is lost: {}\n{said}", output.status),
            (false, _) => {
                bail!("the command has not run, and that is not what is said: {}\n{said}", output.status)
            }
        }
        self.leaves_nothing()
    }

    /// Whether a launcher of this run still waits.
    fn leaves_nothing(&self) -> anyhow::Result<()> {
        let command = self.arguments.last().context("no command")?;
        for process in std::fs::read_dir("/proc")? {
            let words = std::fs::read(process?.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words);
            ensure!(!(words.contains("__launch") && words.contains(command)), "left behind: {words:?}");
        }
        Ok(())
    }
}
