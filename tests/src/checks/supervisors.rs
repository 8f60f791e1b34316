//! Supervisors: real programs that start what they run again.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};

use super::ask::{ask, list};
use super::setting::Setting;
use super::support::SOON;
use crate::ports::Ports;
use crate::programs;
use crate::scratch::Folder;

/// A program that serves HTTP below a shell, as many programs of supervisors do.
const PROGRAM: &str = "/usr/bin/sh -c \"/usr/bin/python3 -m http.server --bind 127.0.0.1 PORT; true\"";

/// supervisord with one program; dropping this ends both.
struct Supervisord {
    folder: Folder,
    process: Child,
}

impl Supervisord {
    fn start(port: u16) -> anyhow::Result<Self> {
        let folder = Folder::new("supervisord", 0)?;
        let (place, program) = (folder.path().display(), PROGRAM.replace("PORT", &port.to_string()));
        let settings = format!(
            "[unix_http_server]\nfile={place}/s\n\
             [supervisord]\nlogfile={place}/log\npidfile={place}/pid\nchildlogdir={place}\nnodaemon=true\n\
             [rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://{place}/s\n\
             [program:web]\ncommand={program}\ndirectory={place}\nautorestart=true\nstartsecs=0\n\
             stopasgroup=true\n"
        );
        fs::write(folder.at("conf"), settings)?;
        let mut command = programs::SUPERVISORD.command()?;
        command.arg("--configuration").arg(folder.at("conf")).current_dir(folder.path());
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self { folder, process })
    }

    /// The output of supervisorctl(1).
    fn ask(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut command = programs::SUPERVISORCTL.command()?;
        let output = command.arg("--configuration").arg(self.folder.at("conf")).args(words).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Supervisord {
    fn drop(&mut self) {
        let _stopped = self.ask(&["shutdown"]);
        let _ended = self.process.wait();
    }
}

/// A program of supervisord is started again, so that `free` leaves it alone; the listing that is printed has it, with
/// the pid that is printed, and stopping it there frees the port.
pub(super) fn supervisord(setting: Setting<'_>) -> anyhow::Result<()> {
    let port = Ports::new().take()?;
    let number = port.to_string();
    let supervisord = Supervisord::start(port)?;
    let server = listening(setting, &number, None)?;
    kill(server)?;
    let server = listening(setting, &number, Some(server)).context("supervisord started nothing again")?;
    let shown = ask(setting, &["free", &number, "--yes"], 1)?;
    ensure!(list(&shown, "stopped").is_empty() && shown["command"].is_null(), "{shown}");
    let output = Command::new(setting.portbind).args(["free", &number, "--dry-run"]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let advice = text.split_once("supervisorctl status shows it with pid ").with_context(|| text.clone())?.1;
    let pid = advice.split_whitespace().next().context("no pid")?;
    ensure!(pid != server.to_string(), "the shell above the server is listed: {text}");
    let status = supervisord.ask(&["status"])?;
    let line = status.lines().find(|line| line.contains(&format!("pid {pid},"))).context("not listed")?;
    let name = line.split_whitespace().next().context("no name")?;
    supervisord.ask(&["stop", name])?;
    ask(setting, &["wait", &number, "--until", "free", "--timeout", "20"], 0)?;
    Ok(())
}

/// The pid of the process that listens on a port, other than `before`.
fn listening(setting: Setting<'_>, port: &str, before: Option<u64>) -> anyhow::Result<u64> {
    let begun = Instant::now();
    loop {
        let output = Command::new(setting.portbind).args(["who", port, "-o", "json"]).output()?;
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let pid = shown["holders"][0]["processes"][0]["pid"].as_u64();
        if let Some(pid) = pid.filter(|pid| before != Some(*pid)) {
            return Ok(pid);
        }
        ensure!(begun.elapsed() < SOON, "nothing listens: {shown}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn kill(pid: u64) -> anyhow::Result<()> {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid)?).context("no pid")?;
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::TERM)?)
}
