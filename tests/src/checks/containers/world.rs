//! The namespaces of a daemon, the programs in them, and the answers of portbind about them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::super::setting::Setting;
use crate::programs;
use crate::scratch::Folder;

/// How long a daemon, a container or a server may take to start or to end.
const SOON: Duration = Duration::from_secs(60);
/// A server that listens on an address and a port, says so, and waits. The first process of a container gets no signal
/// that it does not handle (pid_namespaces(7)).
const SERVER: &str = "import signal,socket,sys,time\n\
    signal.signal(signal.SIGTERM,lambda *_:sys.exit(143))\n\
    kind,address,port,wait=sys.argv[1:]\n\
    s=socket.socket(socket.AF_INET,socket.SOCK_STREAM if kind=='tcp' else socket.SOCK_DGRAM)\n\
    s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)\n\
    s.bind((address,int(port)))\n\
    kind=='tcp' and s.listen()\n\
    print('bound',flush=True)\n\
    time.sleep(float(wait))";
/// The port of servers in containers.
pub(super) const INSIDE: &str = "80";

/// A mount namespace with an empty `/run` and `/var/lib/containers`, and a network namespace. Dropping this ends the
/// first process in them.
pub(super) struct World {
    folder: Folder,
    init: Child,
}

impl World {
    /// Starts a shell script as the first process of new namespaces, with the folder of this world as its argument.
    pub(super) fn new(name: &str, script: &str) -> anyhow::Result<Self> {
        programs::NSENTER.is_there()?;
        let folder = Folder::new(name, 0)?;
        image(&folder.at("root"))?;
        let begin = format!(
            "set -e; mount --make-rprivate /; mount -t tmpfs none /run; mkdir -p /var/lib/containers; \
             mount -t tmpfs none /var/lib/containers; ip link set lo up; {script}"
        );
        let init = programs::UNSHARE
            .command()?
            .args(["--mount", "--net", "--", programs::SH.path, "-c", &begin, "sh"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.at("log"))?)
            .spawn()?;
        Ok(Self { folder, init })
    }

    /// The path of a name in the folder of this world.
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.folder.at(name)
    }

    /// A command inside of the namespaces.
    pub(super) fn inside(&self, program: impl AsRef<OsStr>) -> anyhow::Result<Command> {
        let mut command = programs::NSENTER.command()?;
        command.args(["--target", &self.init.id().to_string(), "--mount", "--net", "--"]).arg(program);
        command.stdin(Stdio::null());
        Ok(command)
    }

    /// A program that may fail, inside of the namespaces.
    pub(super) fn output<A: AsRef<OsStr>>(
        &self,
        program: &str,
        args: impl IntoIterator<Item = A>,
    ) -> anyhow::Result<Output> {
        Ok(self.inside(program)?.args(args).output()?)
    }

    /// The standard output of a program that must succeed.
    pub(super) fn done<A: AsRef<OsStr>>(
        &self,
        program: &str,
        args: impl IntoIterator<Item = A>,
    ) -> anyhow::Result<String> {
        let output = self.output(program, args)?;
        ensure!(output.status.success(), "{program}: {}\n{}", text(&output.stderr), self.log());
        Ok(text(&output.stdout).trim().to_owned())
    }

    /// Runs a printed command as a user would.
    pub(super) fn apply(&self, command: &str) -> anyhow::Result<String> {
        self.done(programs::SH.path, ["-c", command]).with_context(|| command.to_owned())
    }

    /// Waits until a program succeeds.
    pub(super) fn wait(&self, program: &str, args: &[&str]) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !self.output(program, args)?.status.success() {
            ensure!(begun.elapsed() < SOON, "{program} {args:?} never succeeded:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Runs `portbind run` around a program inside of the namespaces.
    pub(super) fn run(&self, setting: Setting<'_>, program: &[&str]) -> anyhow::Result<Wrapped> {
        let record = self.at("run.jsonl");
        let _old = fs::remove_file(&record);
        let mut command = self.inside(fs::canonicalize(setting.portbind)?)?;
        command.args(["run", "--backend", setting.backend, "--record"]).arg(&record).arg("--").args(program);
        let output = command.output()?;
        let lines = fs::read_to_string(&record)?;
        let lines = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let wrapped = Wrapped { status: output.status.code(), shown: text(&output.stderr), lines };
        wrapped.is_accounted_for()?;
        Ok(wrapped)
    }

    /// The answer of `portbind free` inside of the namespaces, which must stop nothing.
    pub(super) fn refuses_to_free(&self, setting: Setting<'_>, words: &[&str]) -> anyhow::Result<Value> {
        let mut command = self.inside(fs::canonicalize(setting.portbind)?)?;
        let output = command.arg("free").args(words).args(["--yes", "-o", "json"]).output()?;
        let shown = || format!("{}\n{}", text(&output.stdout), text(&output.stderr));
        ensure!(output.status.code() == Some(1), "{words:?}: {}", shown());
        let answer: Value = serde_json::from_slice(&output.stdout).with_context(shown)?;
        ensure!(answer["stopped"].as_array().is_some_and(Vec::is_empty), "{answer}");
        Ok(answer)
    }

    /// A server of Python's on this machine, which has bound its socket.
    pub(super) fn server(&self, kind: &str, address: &str, port: u16) -> anyhow::Result<Server> {
        let mut command = self.inside(programs::PYTHON.path)?;
        command.args(["-c", SERVER, kind, address, &port.to_string(), "600"]).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut said = [0; 6];
        let mut output = process.stdout.take().context("no output")?;
        if std::io::Read::read_exact(&mut output, &mut said).is_err() {
            bail!("the server could not bind: {:?}", process.wait()?);
        }
        Ok(Server(process))
    }

    /// Whether a program can bind this address now.
    pub(super) fn binds(&self, kind: &str, address: &str, port: u16) -> anyhow::Result<bool> {
        let port = port.to_string();
        Ok(self.output(programs::PYTHON.path, binder(kind, address, &port)[1..].iter())?.status.success())
    }

    /// What the first process and its children wrote.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.at("log")).unwrap_or_default()
    }

    /// Asks the first process to end, and waits for it.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        let pid = rustix::process::Pid::from_child(&self.init);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let begun = Instant::now();
        while self.init.try_wait()?.is_none() {
            ensure!(begun.elapsed() < SOON, "the daemon did not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ended = self.init.kill();
        let _status = self.init.wait();
        // After a check that failed, the shims of containers are left, which have the folder in their arguments.
        let folder = self.folder.path().as_os_str().as_encoded_bytes();
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        for pid in pids.filter(|pid| pid.cast_unsigned() != std::process::id()) {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let is_left = words.windows(folder.len()).any(|part| part == folder);
            if let Some(pid) = rustix::process::Pid::from_raw(pid).filter(|_| is_left) {
                let _ended = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

/// A server on this machine; dropping this ends it.
pub(super) struct Server(Child);

impl Server {
    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Whether the server has ended.
    pub(super) fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.0.wait()?.code() != Some(0))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

/// A wrapped program that has ended.
pub(super) struct Wrapped {
    pub(super) status: Option<i32>,
    /// What it and portbind wrote on standard error.
    pub(super) shown: String,
    lines: Vec<Value>,
}

impl Wrapped {
    /// The lines of a kind.
    pub(super) fn lines(&self, kind: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["kind"] == kind).collect()
    }

    /// The only refusal.
    pub(super) fn refusal(&self) -> anyhow::Result<&Value> {
        let refusals = self.lines("refusal");
        let [refusal] = refusals[..] else { bail!("{} refusals:\n{}", refusals.len(), self.shown) };
        Ok(refusal)
    }

    /// Every refusal is in one number of the account.
    fn is_accounted_for(&self) -> anyhow::Result<()> {
        let [summary] = self.lines("summary")[..] else { bail!("no summary:\n{}", self.shown) };
        let number = |key: &str| summary[key].as_u64().unwrap_or(u64::MAX);
        let parts = ["shown", "coalesced", "filtered", "lost"].map(number).iter().sum::<u64>();
        ensure!(number("refused") == parts, "{summary}");
        Ok(())
    }
}

/// The words of a program that binds a socket and ends.
pub(super) fn binder<'a>(kind: &'a str, address: &'a str, port: &'a str) -> [&'a str; 7] {
    [programs::PYTHON.path, "-c", SERVER, kind, address, port, "0"]
}

/// The words of a server inside of a container, which binds every address.
pub(super) fn server_inside<'a>(kind: &'a str, port: &'a str) -> [&'a str; 7] {
    [programs::PYTHON.path, "-c", SERVER, kind, "0.0.0.0", port, "600"]
}

/// The first command among the remedies of a refusal or answer, and its code.
pub(super) fn command(event: &Value) -> Option<(&str, &str)> {
    let fixes = event["fixes"].as_array()?;
    fixes.iter().find_map(|fix| Some((fix["code"].as_str()?, fix["command"].as_str()?)))
}

/// The first process in the way of a refused call.
pub(super) fn holder(event: &Value) -> &Value {
    &event["holders"][0]["processes"][0]
}

/// Makes the root folder of a container, to which the programs of this machine are added as a volume.
fn image(root: &Path) -> anyhow::Result<()> {
    for folder in ["usr", "etc", "tmp", "dev", "proc", "sys", "run", "var", "root"] {
        fs::create_dir_all(root.join(folder))?;
    }
    for link in ["bin", "sbin", "lib", "lib64"] {
        symlink(format!("usr/{link}"), root.join(link))?;
    }
    Ok(())
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
