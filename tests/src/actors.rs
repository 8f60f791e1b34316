//! The actors of one scenario, and the sockets each of them has open.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, bail};

use crate::actor::{Action, Answer};
use crate::scratch::Scratch;
use crate::sys::bpf;
use crate::sys::cgroup::Cgroup;

/// Descriptors of one socket, by the pid of their owner.
pub type Owners = BTreeMap<u32, BTreeSet<u32>>;

/// One running actor.
struct Actor {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// All actors of a scenario. Dropping this ends them.
#[derive(Default)]
pub struct Actors {
    actors: BTreeMap<String, Actor>,
    pids: BTreeMap<String, u32>,
    inodes: BTreeMap<String, u64>,
    owners: BTreeMap<u64, Owners>,
    programs: Vec<Scratch>,
    folder: Option<PathBuf>,
    cgroup: Option<Cgroup>,
}

impl Actors {
    /// Makes an actor perform an action; starts the actor if it is new.
    ///
    /// # Errors
    ///
    /// If the actor cannot be started, has ended, or failed for a reason that is not under test.
    pub fn perform(&mut self, name: &str, action: &Action) -> anyhow::Result<Answer> {
        if !self.actors.contains_key(name) {
            self.cast(name, Path::new("/proc/self/exe"), &[], &[])?;
            self.introduce(name)?;
        }
        if let Action::Forbid { error } = action {
            self.forbid(name, *error)?;
        }
        let action = self.complete(action)?;
        let actor = self.actors.get_mut(name).with_context(|| format!("no actor {name}"))?;
        let answer = actor.ask(&action).with_context(|| format!("the actor {name} failed"))?;
        if let Some(fault) = &answer.fault {
            bail!("the actor {name} failed: {fault}");
        }
        if answer.error.is_none() {
            self.note(name, &action, &answer);
        }
        Ok(answer)
    }

    /// Starts an actor from a given executable, with arguments and variables that have no effect.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn cast(
        &mut self,
        name: &str,
        program: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        let actor =
            start(program, arguments, variables).with_context(|| format!("cannot start the actor {name}"))?;
        self.pids.insert(name.to_owned(), actor.process.id());
        self.actors.insert(name.to_owned(), actor);
        Ok(())
    }

    /// Starts an actor that is a different program from the other actors.
    ///
    /// # Errors
    ///
    /// If the executable cannot be copied or started.
    pub fn cast_stranger(&mut self, name: &str) -> anyhow::Result<()> {
        let program = Scratch::new(&format!("stranger-{name}"));
        std::fs::copy("/proc/self/exe", program.path()).context("cannot copy the executable")?;
        self.cast(name, program.path(), &[], &[])?;
        self.programs.push(program);
        self.introduce(name)
    }

    /// Sets the actor's process name to its name in the scenario.
    fn introduce(&mut self, name: &str) -> anyhow::Result<()> {
        let actor = self.actors.get_mut(name).with_context(|| format!("no actor {name}"))?;
        let answer = actor.ask(&Action::Rename { name: name.to_owned() })?;
        match answer.error.or(answer.fault) {
            Some(error) => bail!("the actor {name} cannot take its name: {error}"),
            None => Ok(()),
        }
    }

    /// Moves an actor into a cgroup whose program refuses its binds.
    fn forbid(&mut self, name: &str, error: Option<u16>) -> anyhow::Result<()> {
        let cgroup = Cgroup::new(&format!("portbind-tests-{}", std::process::id()))?;
        bpf::forbid_binds(cgroup.open()?.as_fd(), error)?;
        cgroup.enter(self.pid(name).with_context(|| format!("no actor {name}"))?)?;
        self.cgroup = Some(cgroup);
        Ok(())
    }

    /// The pid of an actor or a child.
    #[must_use]
    pub fn pid(&self, name: &str) -> Option<u32> {
        self.pids.get(name).copied()
    }

    /// The names of the actors, with their pids.
    pub fn names(&self) -> impl Iterator<Item = (&str, u32)> {
        self.pids.iter().map(|(name, pid)| (name.as_str(), *pid))
    }

    /// All pids.
    pub fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.pids.values().copied()
    }

    /// The inode of a socket.
    #[must_use]
    pub fn inode(&self, label: &str) -> Option<u64> {
        self.inodes.get(label).copied()
    }

    /// The processes that have an inode open.
    #[must_use]
    pub fn owners(&self, inode: u64) -> Owners {
        self.owners.get(&inode).cloned().unwrap_or_default()
    }

    /// The private folder of this play, created at first use and removed at the end.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.as_deref().unwrap_or_else(|| Path::new("/nowhere"))
    }

    /// Creates the folder of this play.
    fn make_folder(&mut self) -> anyhow::Result<PathBuf> {
        static PLAYS: AtomicU32 = AtomicU32::new(0);
        if let Some(folder) = &self.folder {
            return Ok(folder.clone());
        }
        let play = PLAYS.fetch_add(1, Ordering::Relaxed);
        let name = format!("portbind-tests-{}-play-{play}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        self.folder = Some(folder.clone());
        Ok(folder)
    }

    /// Fills in the values that only the runner knows.
    fn complete(&mut self, action: &Action) -> anyhow::Result<Action> {
        Ok(match action {
            Action::Give { socket, to, .. } => {
                let answer = self.perform(to, &Action::Mailbox)?;
                let mailbox = answer.mailbox.context("the mailbox has no name")?;
                Action::Give { socket: socket.clone(), to: to.clone(), mailbox }
            }
            Action::JoinNetns { of, .. } => {
                let pid = self.pid(of).with_context(|| format!("no actor {of}"))?;
                Action::JoinNetns { of: of.clone(), pid }
            }
            Action::BindName { socket, name, by, .. } => Action::BindName {
                socket: socket.clone(),
                name: name.clone(),
                folder: self.make_folder()?,
                by: *by,
            },
            Action::Make { object, path, .. } => {
                Action::Make { object: *object, path: path.clone(), folder: self.make_folder()? }
            }
            Action::Chroot { .. } => Action::Chroot { folder: self.make_folder()? },
            _ => action.clone(),
        })
    }

    /// Updates the records of open descriptors.
    fn note(&mut self, name: &str, action: &Action, answer: &Answer) {
        let new = match action {
            Action::Socket { new, .. } | Action::Accept { new, .. } | Action::Open { new, .. } => Some(new),
            _ => None,
        };
        if let (Some(new), Some(inode)) = (new, answer.inode) {
            self.inodes.insert(new.clone(), inode);
        }
        if let Action::Inherit { child, .. } = action {
            self.pids.insert(child.clone(), answer.pid);
        }
        if let (Some(inode), Some(fd)) = (answer.inode, answer.fd) {
            self.owners.entry(inode).or_default().entry(answer.pid).or_default().insert(fd);
        }
        let gone = |owners: &mut Owners, pid| owners.retain(|owner, fds| *owner != pid || !fds.is_empty());
        for (inode, fd) in &answer.closed {
            if let Some(owners) = self.owners.get_mut(inode) {
                if let Some(fds) = owners.get_mut(&answer.pid) {
                    fds.remove(fd);
                }
                gone(owners, answer.pid);
            }
        }
        if matches!(action, Action::Exit) {
            for owners in self.owners.values_mut() {
                owners.remove(&answer.pid);
            }
            // The runner keeps the actor's input open: the children live until the scenario is over.
            if let Some(actor) = self.actors.get_mut(name) {
                let _status = actor.process.wait();
            }
        }
    }
}

impl Actor {
    /// Sends an action and waits for the answer.
    fn ask(&mut self, action: &Action) -> anyhow::Result<Answer> {
        let mut line = serde_json::to_string(action)?;
        line.push('\n');
        self.input.write_all(line.as_bytes())?;
        let mut answer = String::new();
        if self.output.read_line(&mut answer)? == 0 {
            bail!("it ended");
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Actors {
    fn drop(&mut self) {
        for (_, Actor { mut process, input, output }) in std::mem::take(&mut self.actors) {
            drop((input, output));
            let _status = process.wait();
        }
        if let Some(folder) = &self.folder {
            let _gone = std::fs::remove_dir_all(folder);
        }
    }
}

/// Starts an actor.
fn start(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Actor> {
    let mut command = Command::new(program);
    command
        .arg("actor")
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut process = command.spawn()?;
    let input = process.stdin.take().context("no input")?;
    let output = BufReader::new(process.stdout.take().context("no output")?);
    Ok(Actor { process, input, output })
}
