//! The surroundings of a process: container, unit, test and job, a few words each.

use jiff::Timestamp;

use crate::diagnosis::program::{is_interpreter, runs};
use crate::escape::{Escaped, TestName, columns};
use crate::event;
use crate::output::words;
use crate::secrets::mask_text;
use crate::wire::{CiJob, Container, HolderProcess, Opener, Process, Relative, Test};

/// The most ancestors that are shown.
const MAX_ANCESTORS: usize = 5;

/// What text shows of a caller, an owner or a former owner.
#[derive(Clone, Copy)]
pub(super) struct Party<'a> {
    pub(super) pid: u32,
    pub(super) comm: &'a str,
    exe: Option<&'a str>,
    args: &'a [String],
    cwd: Option<&'a str>,
    branch: Option<&'a str>,
    pub(super) started: Option<Timestamp>,
    uid: Option<u32>,
    user: Option<&'a str>,
    ancestors: &'a [Relative<'a>],
    container: Option<&'a Container<'a>>,
    proxy_for: Option<&'a Container<'a>>,
    unit: Option<&'a str>,
    cgroup: Option<&'a str>,
    test: Option<&'a Test<'a>>,
}

macro_rules! party_of {
    ($($process:ident),*) => {$(
        impl<'a> From<&'a $process<'a>> for Party<'a> {
            fn from(process: &'a $process<'a>) -> Self {
                Self {
                    pid: process.pid,
                    comm: &process.comm,
                    exe: process.exe.as_deref(),
                    args: &process.args,
                    cwd: process.cwd.as_deref(),
                    branch: process.branch.as_deref(),
                    started: process.started.map(|started| started.0),
                    uid: process.uid,
                    user: process.user.as_deref(),
                    ancestors: &process.ancestors,
                    container: process.container.as_ref(),
                    proxy_for: process.proxy_for.as_ref(),
                    unit: process.unit.as_deref(),
                    cgroup: process.cgroup.as_deref(),
                    test: process.test.as_ref(),
                }
            }
        }
    )*};
}

party_of!(Process, HolderProcess, Opener);

impl Party<'_> {
    /// What the process runs.
    pub(super) fn runs(&self) -> String {
        runs(self.comm, self.exe, self.args)
    }

    /// The working folder, if the name says too little: another process runs the same in another folder, or the name is
    /// that of an interpreter alone.
    pub(super) fn folder(&self, other: Option<&Party<'_>>) -> Option<String> {
        let runs = self.runs();
        let is_like =
            |other: &&Party<'_>| other.cwd.is_some() && other.cwd != self.cwd && other.runs() == runs;
        let folder = self.cwd.filter(|_| is_interpreter(&runs) || other.as_ref().is_some_and(is_like))?;
        let branch = self.branch.map_or_else(String::new, |branch| format!(" (branch {})", Escaped(branch)));
        Some(format!("in {}{branch}", Escaped(folder)))
    }

    /// The process's user.
    pub(super) fn user(&self) -> Option<String> {
        words::user(self.user, self.uid)
    }

    /// The surroundings, most informative first. Of a process in a container the unit says little, and a scope says
    /// only that a user started it.
    pub(super) fn groups(&self) -> Vec<String> {
        let mut groups = Vec::new();
        if let Some(container) = self.container {
            groups.push(self::container(container));
            groups.extend(pod(container));
        }
        groups.extend(self.proxy_for.map(|container| format!("proxy for {}", self::container(container))));
        let unit = self.unit.filter(|unit| !unit.ends_with(".scope"));
        groups.extend(unit.map(|unit| words::unit(unit, self.container.is_some(), self.cgroup)));
        groups.extend(self.test.and_then(test));
        groups.extend(self.test.and_then(|test| test.ci.as_ref()).map(ci));
        groups
    }

    /// The names from the farthest ancestor down to this process, as many as fit.
    pub(super) fn ancestry(&self, room: Option<usize>) -> Option<String> {
        let above: Vec<_> = self.ancestors.iter().filter(|ancestor| ancestor.pid != 1).collect();
        let own = self.runs();
        (1..=above.len().min(MAX_ANCESTORS)).rev().find_map(|count| {
            let mut chain = String::from(if count < above.len() { "   … → " } else { "   " });
            for ancestor in above.iter().take(count).rev() {
                chain.push_str(&format!("{} → ", Escaped(&ancestor.comm)));
            }
            chain.push_str(&own);
            room.is_none_or(|room| columns(&chain) <= room).then_some(chain)
        })
    }
}

fn container(container: &Container<'_>) -> String {
    let runtime = container.runtime.as_ref();
    let runtime = runtime.map_or_else(String::new, |runtime| format!(" ({})", Escaped(runtime)));
    let label = event::Container::label_of(container.name.as_deref(), &container.id);
    format!("container {}{runtime}", Escaped(label))
}

fn pod(container: &Container<'_>) -> Option<String> {
    let pod = container.pod.as_ref()?;
    let name = pod.name.as_ref().or(pod.uid.as_ref())?;
    let namespace = pod.namespace.as_ref().map(|namespace| format!("{}/", Escaped(namespace)));
    Some(format!("pod {}{}", namespace.unwrap_or_default(), Escaped(name)))
}

/// The test; `None` if only a CI job is known.
fn test(test: &Test<'_>) -> Option<String> {
    let runner = Escaped(test.runner.as_deref()?);
    let worker = test.worker.as_ref().map(|worker| Escaped(worker).to_string());
    Some(match (test.name.as_deref().map(mask_text), worker) {
        (Some(name), Some(worker)) => format!("test {} ({worker})", TestName(&name)),
        (Some(name), None) => format!("test {} ({runner})", TestName(&name)),
        (None, Some(worker)) => format!("{runner} worker {worker}"),
        (None, None) => format!("{runner} run"),
    })
}

fn ci(job: &CiJob<'_>) -> String {
    let run = job.run.as_ref().map_or_else(String::new, |run| format!(" {}", Escaped(run)));
    let name = job.name.as_ref().map_or_else(String::new, |name| format!(" {}", Escaped(&mask_text(name))));
    format!("job{name} ({}{run})", Escaped(&job.system))
}
