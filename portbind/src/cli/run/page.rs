//! Where the page of a run goes: to the file, or the program, that the CI system has for such pages.
//!
//! Both are named by the environment of who called sudo. So that nobody has root write to a file of somebody
//! else's, or run a program, all of it is done with the rights of the caller.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};

use super::child::{PASSED_ON, launcher};
use super::identity::Identity;
use crate::output::Style;
use crate::output::ci::{self, PAGE_LIMIT, Page, System};
use crate::output::text::command::CommandReport;

/// The program of Buildkite, which asks a server.
const AGENT: &str = "buildkite-agent";
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Hands the page over where the system takes one; a failure is told, and no failure of the run.
pub(super) fn publish(
    system: System,
    report: &CommandReport<'_>,
    style: &Style,
    identity: &Identity,
) -> Page {
    if !report.has_findings() {
        return Page::Nowhere;
    }
    let of_room = |room| ci::page(report, style, room);
    let published = match system {
        System::Github => append(identity, of_room),
        System::Azure => create(identity, of_room),
        System::Buildkite => annotate(identity, of_room),
        System::Gitlab | System::Jenkins => Ok(Page::Nowhere),
    };
    published.unwrap_or_else(|error| {
        crate::cli::say::say(&format!("the findings are only in this log: {error}"));
        Page::Nowhere
    })
}

/// GitHub: appends to the file that it has made for the step.
fn append(identity: &Identity, page: impl FnOnce(usize) -> Option<String>) -> io::Result<Page> {
    let Some(path) = identity.variable("GITHUB_STEP_SUMMARY").map(PathBuf::from) else {
        return Ok(Page::Nowhere);
    };
    let mut file = identity.act(|| existing(&path)).map_err(|error| about(&path, &error))?;
    let taken = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let Some(page) = page(PAGE_LIMIT.saturating_sub(taken)) else {
        return Err(about(&path, &io::Error::other("the page of a step may not grow beyond 1 MiB")));
    };
    file.write_all(page.as_bytes()).map_err(|error| about(&path, &error))?;
    Ok(Page::Shown)
}

/// Opens a regular file to append to; it has to be there. A pipe without a reader is not waited for.
fn existing(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    let is_file = file.metadata()?.is_file();
    is_file.then_some(file).ok_or_else(|| io::Error::other("it is no regular file"))
}

/// Azure: makes a file, which the agent removes after the job.
fn create(identity: &Identity, page: impl FnOnce(usize) -> Option<String>) -> io::Result<Page> {
    let Some(folder) = identity.variable("AGENT_TEMPDIRECTORY").map(PathBuf::from) else {
        return Ok(Page::Nowhere);
    };
    let Some(page) = page(PAGE_LIMIT) else { return Ok(Page::Nowhere) };
    let path = folder.join(format!("portbind-{}.md", process::id()));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut file = identity
        .act(|| Ok(File::from(open(&path, flags, Mode::from_raw_mode(0o644))?)))
        .map_err(|error| about(&path, &error))?;
    file.write_all(page.as_bytes()).map_err(|error| about(&path, &error))?;
    Ok(Page::At(path))
}

/// Buildkite: gives it to the agent's program, if there is one.
fn annotate(identity: &Identity, page: impl FnOnce(usize) -> Option<String>) -> io::Result<Page> {
    let (Some(agent), Some(page)) = (find(identity), page(PAGE_LIMIT)) else { return Ok(Page::Nowhere) };
    let words = ["annotate", "--context", "portbind", "--style", "error"].map(OsString::from);
    let command: Vec<OsString> = std::iter::once(agent.into_os_string()).chain(words).collect();
    let mut child = launcher(&command, identity, PASSED_ON.into_iter())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let pid = Pid::from_child(&child);
    waitpid(Some(pid), WaitOptions::UNTRACED)?;
    kill_process(pid, Signal::CONT)?;
    // It may end before it has read all, and need not read at all.
    let writer = child.stdin.take().map(|mut input| thread::spawn(move || input.write_all(page.as_bytes())));
    if !ends_in_time(pid)? {
        child.kill()?;
    }
    let status = child.wait()?;
    drop(writer);
    let said = || io::Error::other(format!("{AGENT} annotate: {status}"));
    status.success().then_some(Page::Shown).ok_or_else(said)
}

fn ends_in_time(pid: Pid) -> io::Result<bool> {
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let patience = Timespec::try_from(PATIENCE).map_err(io::Error::other)?;
    Ok(poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&patience))? > 0)
}

/// The agent's program in the search path of the caller.
fn find(identity: &Identity) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let folders = env::split_paths(identity.variable("PATH")?).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(AGENT)).find(is_program)
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write to {}: {error}", crate::escape::path(path)))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
