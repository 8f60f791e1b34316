//! Failures around the command: it runs to its end, and its status is passed on.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, ensure};

use super::wrapped::{Recording, wrapped};
use crate::actor::Protocol;
use crate::checks::setting::Setting;
use crate::checks::support::ContestedPort;
use crate::programs::{self, SH};
use crate::scratch::Scratch;

/// The start of the message that a recording is incomplete.
const INCOMPLETE: &str = "portbind: the recording is not complete";

fn status(output: &Output, expected: i32) -> anyhow::Result<String> {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.code() == Some(expected), "{} instead of {expected}:\n{stderr}", output.status);
    Ok(stderr)
}

/// A recording or a page that cannot be written, from the start or from the middle.
pub(in crate::checks) fn unwritable_recording(setting: Setting<'_>) -> anyhow::Result<()> {
    let contested = ContestedPort::new(Protocol::Tcp)?;
    let refused = ["refused".to_owned(), contested.port.to_string(), "7".to_owned()];
    let output = wrapped(setting, &["--record=/dev/full"], &refused)?.output()?;
    let said = status(&output, 7)?;
    ensure!(said.matches(INCOMPLETE).count() == 1, "it is not said once:\n{said}");
    ensure!(said.contains("1 refusal"), "the summary is gone:\n{said}");
    status(&wrapped(setting, &["--report=/dev/full"], &refused)?.output()?, 7)?;
    full_disk(setting, &refused)
}

/// A disk with room for only the first lines of the recording.
fn full_disk(setting: Setting<'_>, refused: &[String]) -> anyhow::Result<()> {
    let folder = Scratch::new("full");
    let kept = Scratch::new("kept");
    let (disk, kept) = (folder.path().display().to_string(), kept.path().display().to_string());
    let script = format!(
        "mkdir {disk}; mount -t tmpfs -o size=4k none {disk} || exit 90; \"$@\"; status=$?; \
         cp {disk}/events {kept}; umount {disk}; rmdir {disk}; exit $status"
    );
    let record = format!("--record={disk}/events");
    let run = wrapped(setting, &[&record], refused)?;
    let mut words: Vec<OsString> = run.get_args().map(OsString::from).collect();
    let subject = words.iter().position(|word| word == "--").context("no subject")?;
    // The line of the command fills most of the page: a shell with a long word executes the subject.
    let long = format!("exec \"$@\" # {}", "x".repeat(3300));
    words.splice(subject + 1..=subject, [SH.path, "-c", &long, "sh"].map(OsString::from));
    let mut command = programs::UNSHARE.command()?;
    command.args(["-m", "--propagation", "private", SH.path, "-c", &script, "sh"]);
    command.arg(run.get_program()).args(words);
    let said = status(&command.output()?, 7)?;
    ensure!(said.matches(INCOMPLETE).count() == 1, "it is not said once:\n{said}");
    let kept = std::fs::read_to_string(kept)?;
    let first: serde_json::Value = serde_json::from_str(kept.lines().next().context("nothing is recorded")?)?;
    ensure!(first["kind"] == "command", "{first}");
    Ok(())
}

/// Standard error that is full or closed.
pub(in crate::checks) fn unwritable_stderr(setting: Setting<'_>) -> anyhow::Result<()> {
    let contested = ContestedPort::new(Protocol::Tcp)?;
    let port = contested.port.to_string();
    let full = || OpenOptions::new().write(true).open("/dev/full");
    let (reader, broken) = std::io::pipe()?;
    drop(reader);
    for options in [&["-v"][..], &["--optional"], &["-v", "--record=/dev/full"]] {
        for stderr in [OwnedFd::from(full()?), OwnedFd::from(broken.try_clone()?)] {
            let mut command = wrapped(setting, options, ["refused", &port, "7"])?;
            let ended = command.stderr(stderr).status()?;
            ensure!(ended.code() == Some(7), "{options:?}: {ended}");
        }
    }
    let run = wrapped(setting, &["-v"], ["refused", &port, "7"])?;
    let mut closed = SH.command()?;
    closed.args(["-c", "exec \"$@\" 2>&-", "sh"]).arg(run.get_program()).args(run.get_args());
    status(&closed.output()?, 7).map(drop)
}

/// A portbind that is killed before it releases the command.
pub(in crate::checks) fn killed(setting: Setting<'_>) -> anyhow::Result<()> {
    let calls = Recording::new("calls");
    let strace = |inject: &[&str]| -> anyhow::Result<Output> {
        let run = wrapped(setting, &["-q"], ["exit", "7"])?;
        let mut command = programs::STRACE.command()?;
        command.arg("-o").arg(calls.path()).args(["-e", "trace=write"]).args(inject);
        Ok(command.arg("--").arg(run.get_program()).args(run.get_args()).output()?)
    };
    status(&strace(&[])?, 7)?;
    let text = std::fs::read_to_string(calls.path())?;
    let gate = text.lines().position(|line| line.contains(r#", "\n", 1)"#)).context("nothing lets it go")?;
    let inject = format!("inject=write:signal=KILL:when={}", gate + 1);
    // The command's output arrives after the end of portbind.
    let said = Scratch::new("said");
    let run = wrapped(setting, &["-q"], ["state"])?;
    let mut command = programs::STRACE.command()?;
    command.args(["-o", "/dev/null", "-e", "trace=write", "-e", &inject, "--"]);
    command.arg(run.get_program()).args(run.get_args()).stdin(Stdio::null());
    let (mut reader, writer) = std::io::pipe()?;
    let ended = command.stdout(writer).stderr(File::create(said.path())?).status()?;
    drop(command);
    ensure!(!ended.success(), "portbind lives: {ended}");
    let mut printed = String::new();
    std::io::Read::read_to_string(&mut reader, &mut printed)?;
    ensure!(printed.contains("environment"), "the command does not run:\n{printed}");
    Ok(())
}

/// No helper process of portbind has any environment of the caller while it has root's rights.
pub(in crate::checks) fn empty_environment(setting: Setting<'_>) -> anyhow::Result<()> {
    let calls = Recording::new("execs");
    let run = wrapped(setting, &["-q"], ["state"])?;
    let mut command = programs::STRACE.command()?;
    command
        .args(["-f", "-s", "4096", "-e", "abbrev=none", "-e", "trace=execve,setresuid", "-o"])
        .arg(calls.path());
    command.arg("--").arg(run.get_program()).args(run.get_args());
    command.env("GCONV_PATH", "/nowhere").env("SUDO_UID", "65534").stdin(Stdio::null());
    let output = command.output()?;
    status(&output, 0)?;
    let text = std::fs::read_to_string(calls.path())?;
    let helpers: Vec<&str> = text.lines().filter(|line| line.contains("execve(\"/proc/self/exe\"")).collect();
    ensure!(!helpers.is_empty(), "there is no helper process:\n{text}");
    for helper in helpers {
        // strace ends the line with `<unfinished ...>` if another process made a call meanwhile.
        ensure!(helper.contains("], []"), "a helper process has an environment: {helper}");
    }
    let became = text.find("setresuid(65534, 65534, 65534").context("it does not become the user")?;
    let given = text.rfind("GCONV_PATH=/nowhere").context("the command has not the caller's environment")?;
    ensure!(became < given, "it has the caller's environment too early:\n{text}");
    Ok(())
}

/// With any limit on open files, portbind ends with an error about it, and leaves nothing behind.
pub(in crate::checks) fn few_descriptors(setting: Setting<'_>) -> anyhow::Result<()> {
    let portbind = std::fs::canonicalize(setting.portbind)?;
    let helpers = [
        "who 8000",
        "check 8000",
        "wait --until free --timeout 0.1 8000",
        "free --dry-run 8000",
        "doctor",
        "report /dev/null",
    ];
    let tracing = ["trace --timeout 0.1", "run -- /usr/bin/true"];
    for limit in [4, 12, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 32, 36, 40] {
        let helpers = helpers.iter().filter(|_| limit % 12 == 0 || limit < 8 || limit == 40);
        for verb in tracing.iter().chain(helpers) {
            let script = format!("ulimit -n {limit}; exec \"$0\" {verb}");
            let output = SH.command()?.args(["-c", &script]).arg(&portbind).stdin(Stdio::null()).output()?;
            let said = String::from_utf8_lossy(&output.stderr);
            let code = output.status.code().with_context(|| format!("{limit}, {verb}: {}", output.status))?;
            let is_known = code <= 5 || (code == 125 && verb.starts_with("run"));
            ensure!(is_known && !said.contains("panicked"), "{limit}, {verb}: {code}\n{said}");
            if limit >= 40 && verb.starts_with(['t', 'r', 'd']) {
                ensure!(code == 0, "{limit}, {verb}: {code}, though that is enough:\n{said}");
            }
            if *verb == "doctor" && (12..40).contains(&limit) {
                ensure!(code == 5, "{limit}: the limit is too low, and doctor ends with {code}");
            }
            if verb.starts_with("run") && code != 0 {
                ensure!(said.contains("ulimit -n"), "{limit}, {verb}: no word of the limit:\n{said}");
            }
        }
    }
    Ok(())
}

/// If no file may contain a byte, the command still runs with its environment, and no signal ends portbind.
pub(in crate::checks) fn small_files(setting: Setting<'_>) -> anyhow::Result<()> {
    let limited = |inner: &Command| -> anyhow::Result<Output> {
        let mut command = SH.command()?;
        command
            .args(["-c", "ulimit -f 0; exec \"$0\" \"$@\""])
            .arg(inner.get_program())
            .args(inner.get_args());
        Ok(command.env("LONG", "x".repeat(100_000)).stdin(Stdio::null()).output()?)
    };
    let run = limited(&wrapped(setting, &["-q"], ["state"])?)?;
    status(&run, 0)?;
    let printed = String::from_utf8_lossy(&run.stdout);
    ensure!(printed.contains(r#"("LONG", "xxxx"#), "the command has not its environment");
    let events = Recording::new("small-files");
    let mut trace = Command::new(setting.portbind);
    trace.args(["trace", "-o", "json", "--timeout", "0.2", "--output"]).arg(events.path());
    let output = limited(&trace)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(5), "{}\n{said}", output.status);
    ensure!(said.contains("File too large"), "no word of the limit:\n{said}");
    Ok(())
}
