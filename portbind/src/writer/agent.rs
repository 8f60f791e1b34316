//! The Buildkite agent, run with the rights, the environment and the search path of the caller.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::message::Response;
use crate::host::invoker::{self, Environment};
use crate::sys::signals;

/// The agent's program, which contacts a server.
const AGENT: &str = "buildkite-agent";
/// How long the agent may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Passes a page to the agent, if the agent is installed.
///
/// # Errors
/// The errors of starting the agent.
pub(super) fn annotate(environment: &[u8], page: &[u8]) -> io::Result<Response> {
    let environment = invoker::environment(environment);
    let Some(agent) = find(&environment) else { return Ok(Response::Absent) };
    let mut input = File::from(memfd_create("portbind page", MemfdFlags::CLOEXEC)?);
    input.write_all(page)?;
    input.rewind()?;
    signals::await_children()?;
    let mut child = Command::new(agent)
        .args(["annotate", "--context", "portbind", "--style", "error"])
        .env_clear()
        .envs(environment)
        .stdin(Stdio::from(input))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let ends = ends_in_time(Pid::from_child(&child));
    if !matches!(ends, Ok(true)) {
        child.kill()?;
    }
    let status = child.wait()?;
    Ok(if ends? { Response::Ended(status.into_raw()) } else { Response::Late })
}

/// Waits until the agent has ended, unless the main process ends first.
fn ends_in_time(pid: Pid) -> io::Result<bool> {
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let main = rustix::stdio::stdin();
    let patience = Timespec::try_from(PATIENCE).map_err(io::Error::other)?;
    // poll(2) reports a closed peer even without requested events.
    let mut watched =
        [PollFd::new(&pidfd, PollFlags::IN), PollFd::from_borrowed_fd(main.as_fd(), PollFlags::empty())];
    poll(&mut watched, Some(&patience))?;
    Ok(watched[0].revents().contains(PollFlags::IN))
}

/// Finds the agent in the search path.
fn find(environment: &Environment) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let folders =
        env::split_paths(environment.get(OsStr::new("PATH"))?).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(AGENT)).find(is_program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(entries: &[(&str, &str)]) -> Environment {
        entries.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn an_agent_is_a_program_in_an_absolute_folder_of_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let search = |path: &str| find(&environment(&[("PATH", path)]));
        assert_eq!((search(path), search("."), find(&Environment::new())), (None, None, None));
        let agent = folder.path().join(AGENT);
        std::fs::write(&agent, "no program").unwrap();
        assert_eq!(search(path), None);
        std::fs::set_permissions(&agent, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(search(&format!(".:/none:{path}")), Some(agent));
    }
}
