//! Describes processes.

use super::machine::Host;
use super::patience::Pending;
use super::procfs::Procfs;
use super::stat::{Stat, TICK_NS};
use super::{container, container_names, job, proxies, unit};
use crate::diagnosis::program::{is_interpreter, runs, script, titled_tool};
use crate::event::units::user_of_cgroup;
use crate::event::{Ancestor, Container, Job, Process};

/// Starts this far apart belong to two processes: `/proc` rounds down to a tick.
const START_SLACK_NS: u64 = 2 * TICK_NS;
const MAX_ARGS: usize = 4096;
const MAX_ARG_BYTES: usize = 64 * 1024;
const MAX_ANCESTORS: usize = 8;
/// The ancestors of which is known what they run, and the bytes that are read of the arguments of each.
const EXPLAINED: usize = 4;
const ENOUGH_BYTES: u64 = 4096;

impl Procfs {
    /// The path of the program that a process runs; `None` for a kernel thread, or if the process may not be traced.
    pub(crate) fn executable(&self, pid: u32) -> Option<String> {
        self.link(&format!("{pid}/exe")).map(|link| lossy(without_deleted(&link)))
    }

    /// The working folder of a process, as the process itself sees it.
    fn working_folder(&self, pid: u32) -> Option<String> {
        self.link(&format!("{pid}/cwd")).map(|link| lossy(without_deleted(&link)))
    }
}

impl Host {
    /// The processes of this machine, by pid.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let entries = std::fs::read_dir(self.procfs.root()).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    /// The name of a process.
    #[must_use]
    pub fn comm(&self, pid: u32) -> Option<String> {
        comm(&self.procfs, pid)
    }

    /// Describes a process as far as `/proc` permits; `None` if there is no such process.
    ///
    /// Fields that cannot be read stay empty: the executable of a kernel thread or of a process that may not be traced,
    /// and all fields except the names for a process that has just ended.
    #[must_use]
    pub fn describe(&self, pid: u32) -> Option<Process> {
        let stat = self.procfs.stat(pid)?;
        let process = self.describe_started(pid, stat);
        // The pid may have been reused in between.
        match self.procfs.start_ticks(pid) {
            Some(ticks) if ticks != stat.start_ticks => None,
            _ => Some(process),
        }
    }

    /// Start of a process in nanoseconds since boot, in the form that [`Self::describe_if_started_at`] takes.
    #[must_use]
    pub fn start_boot_ns(&self, pid: u32) -> Option<u64> {
        Some(self.procfs.start_ticks(pid)?.saturating_mul(TICK_NS))
    }

    /// Describes a process if its start matches; `None` if the process has ended, even if its pid is in use again.
    ///
    /// The time is the `start_boottime` of the thread group leader (include/linux/sched.h), which a new leader inherits
    /// on execve (de_thread in fs/exec.c).
    #[must_use]
    pub fn describe_if_started_at(&self, pid: u32, start_boot_ns: u64) -> Option<Process> {
        self.is_the_one_started_at(pid, start_boot_ns).then(|| self.describe(pid))?
    }

    /// A process and its ancestors, up to process 1.
    #[must_use]
    pub fn lineage(&self, pid: u32) -> Vec<u32> {
        let mut line = vec![pid];
        while let Some(stat) = line.last().and_then(|&pid| self.procfs.stat(pid)) {
            // Reading the chain takes several steps, between which pids may be reused: stop at a circle.
            if stat.ppid == 0 || line.contains(&stat.ppid) {
                break;
            }
            line.push(stat.ppid);
        }
        line
    }

    /// Whether a process is still the one with this start, as in [`Self::describe_if_started_at`].
    #[must_use]
    pub fn is_the_one_started_at(&self, pid: u32, start_boot_ns: u64) -> bool {
        let shown = self.procfs.start_ticks(pid).map(|ticks| ticks.saturating_mul(TICK_NS));
        shown.is_some_and(|shown| shown.abs_diff(start_boot_ns) <= START_SLACK_NS)
    }

    fn describe_started(&self, pid: u32, stat: Stat) -> Process {
        let procfs = &self.procfs;
        let (uid, gid) = procfs.read(&format!("{pid}/status")).map_or((None, None), |status| ids(&status));
        let in_memory = self.begin_in_memory(pid, uid, stat);
        let cgroup = procfs.read(&format!("{pid}/cgroup")).and_then(|text| cgroup(&text));
        let ancestors = ancestors(procfs, stat);
        let process = Process {
            pid,
            tid: pid,
            comm: comm(procfs, pid).unwrap_or_default(),
            exe: procfs.executable(pid),
            cwd: procfs.working_folder(pid),
            uid,
            gid,
            user: uid.and_then(|uid| self.users.name(uid)),
            group: Some(stat.group).filter(|group| *group != 0),
            started: Some(self.clock.at(stat.start_ticks.saturating_mul(TICK_NS))),
            container: cgroup.as_deref().and_then(|cgroup| self.container(cgroup, &ancestors)).map(Box::new),
            unit: cgroup.as_deref().and_then(unit::unit),
            cgroup,
            ancestors,
            is_stopped: stat.is_stopped(),
            ..Process::default()
        };
        let ((args, args_truncated), job, runs) = in_memory.and_then(Pending::finish).unwrap_or_default();
        let mut process = Process { args, args_truncated, job, ..process };
        for above in &mut process.ancestors {
            above.runs = runs.iter().find(|(pid, _)| *pid == above.pid).map(|(_, runs)| runs.clone());
        }
        let parent = || self.arguments_of_roots(stat.ppid);
        process.proxy_for = proxies::proxy_for(&process, parent, &self.files).map(Box::new);
        process
    }

    /// The arguments of a process of root's; `None` for other users, who may have made up their arguments.
    pub(super) fn arguments_of_roots(&self, pid: u32) -> Option<Vec<String>> {
        let (uid, _) = ids(&self.procfs.read(&format!("{pid}/status"))?);
        let procfs = self.procfs.clone();
        let pending = self.patience.begin(uid.filter(|uid| *uid == 0)?, move || arguments(&procfs, pid))?;
        Some(pending.finish()?.0)
    }

    /// Starts to read from the memory of a process and of its ancestors: the arguments of the process, and its job.
    /// Meanwhile this thread reads the other fields.
    fn begin_in_memory(&self, pid: u32, uid: Option<u32>, stat: Stat) -> Option<Pending<'_, InMemory>> {
        let procfs = self.procfs.clone();
        let read = move || {
            let line: Vec<u32> = above(&procfs, stat).map(|(pid, _)| pid).collect();
            let runs = line.iter().take(EXPLAINED).filter_map(|&pid| Some((pid, interpreted(&procfs, pid)?)));
            let runs = runs.collect();
            (arguments(&procfs, pid), job::job(&procfs, pid, line.into_iter()).map(Box::new), runs)
        };
        // Processes without a known user share one place among the users.
        self.patience.begin(uid.unwrap_or(u32::MAX), read)
    }

    fn container(&self, cgroup: &str, ancestors: &[Ancestor]) -> Option<Container> {
        let mut container = container::place(cgroup)?.container;
        // A user may give cgroups below the user's own service manager any name, also that of another's container; so
        // may a container and a service below their own cgroups.
        if !container.is_nested || container.pod.is_some() && user_of_cgroup(cgroup).is_none() {
            container_names::fill_in(&mut container, &self.files);
        }
        if container.name.is_none() && container.pod.is_none() {
            self.ask_monitor(&mut container, ancestors);
        }
        Some(container)
    }
}

/// The name, which may hold any byte except NUL (comm_show in fs/proc/base.c adds the newline).
fn comm(procfs: &Procfs, pid: u32) -> Option<String> {
    let bytes = procfs.read(&format!("{pid}/comm"))?;
    Some(lossy(bytes.strip_suffix(b"\n").unwrap_or(&bytes)))
}

/// Arguments, and whether they were truncated.
type Arguments = (Vec<String>, bool);

/// Facts read from memory: the arguments and the job of a process, and what its ancestors run.
type InMemory = (Arguments, Option<Box<Job>>, Vec<(u32, String)>);

/// What a process runs, if it is an interpreter.
fn interpreted(procfs: &Procfs, pid: u32) -> Option<String> {
    let exe = procfs.executable(pid).filter(|exe| is_interpreter(exe))?;
    let (args, _) = split(&procfs.read_up_to(&format!("{pid}/cmdline"), ENOUGH_BYTES)?);
    let is_known = script(&args).is_some() || titled_tool(&args).is_some();
    is_known.then(|| runs("", Some(&exe), &args))
}

fn arguments(procfs: &Procfs, pid: u32) -> Arguments {
    let path = format!("{pid}/cmdline");
    procfs.read_up_to(&path, MAX_ARG_BYTES as u64 + 1).map_or_else(Default::default, |bytes| split(&bytes))
}

/// Splits `/proc/PID/cmdline` (get_mm_cmdline in fs/proc/base.c), and returns whether anything was truncated.
fn split(bytes: &[u8]) -> Arguments {
    // This many empty arguments at the end are remains of a program that wrote a title over its arguments and filled
    // the rest with NUL.
    const FILL: usize = 4;
    let mut truncated = bytes.len() > MAX_ARG_BYTES;
    let mut bytes = bytes.get(..MAX_ARG_BYTES).unwrap_or(bytes);
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    if bytes.len() - end > FILL {
        bytes = bytes.get(..end).unwrap_or_default();
    }
    if bytes.is_empty() {
        return (Vec::new(), truncated);
    }
    let mut args: Vec<_> = bytes.strip_suffix(&[0]).unwrap_or(bytes).split(|&byte| byte == 0).collect();
    truncated |= args.len() > MAX_ARGS;
    args.truncate(MAX_ARGS);
    (args.into_iter().map(lossy).collect(), truncated)
}

/// Real user and group from `/proc/PID/status` (task_state in fs/proc/array.c); newlines in the name are escaped there.
pub(super) fn ids(status: &[u8]) -> (Option<u32>, Option<u32>) {
    let real = |key: &[u8]| {
        let value = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(key))?;
        std::str::from_utf8(value).ok()?.split_ascii_whitespace().next()?.parse().ok()
    };
    (real(b"Uid:"), real(b"Gid:"))
}

/// The path in the unified hierarchy, or in systemd's hierarchy on a version 1 machine (proc_cgroup_show in
/// kernel/cgroup/cgroup.c; a name never holds a newline).
pub(super) fn cgroup(text: &[u8]) -> Option<String> {
    let path = |matches: fn(&[u8]) -> bool| {
        text.split(|&byte| byte == b'\n').find_map(|line| {
            let mut fields = line.splitn(3, |&byte| byte == b':');
            let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            (id.iter().all(u8::is_ascii_digit) && matches(controllers)).then_some(path)
        })
    };
    let (one, systemd) = (path(<[u8]>::is_empty), path(|controllers| controllers == b"name=systemd"));
    // If version 2 is mounted beside version 1, all processes may be in version 2's root.
    let chosen = one.filter(|path| *path != b"/" || systemd.is_none()).or(systemd)?;
    Some(lossy(without_deleted(chosen)))
}

fn ancestors(procfs: &Procfs, child: Stat) -> Vec<Ancestor> {
    above(procfs, child).map_while(|(pid, _)| Some(Ancestor::new(pid, comm(procfs, pid)?))).collect()
}

/// The ancestors of a process, nearest first: pid and the contents of `stat`.
fn above(procfs: &Procfs, child: Stat) -> impl Iterator<Item = (u32, Stat)> {
    let parent = |child: &Stat| {
        let pid = child.ppid;
        // A parent that is younger than its child: the pid was reused.
        let parent = (pid != 0).then(|| procfs.stat(pid))??;
        (parent.start_ticks <= child.start_ticks).then_some((pid, parent))
    };
    // Reading the chain takes several steps, between which pids may be reused: it may contain a circle.
    let mut known = Vec::new();
    let is_new = move |&(pid, _): &(u32, Stat)| {
        let is_new = !known.contains(&pid);
        known.push(pid);
        is_new
    };
    std::iter::successors(parent(&child), move |(_, child)| parent(child))
        .take(MAX_ANCESTORS)
        .take_while(is_new)
}

/// Removes the suffix that d_path in fs/d_path.c, and its counterpart for cgroups, add for a deleted file.
fn without_deleted(path: &[u8]) -> &[u8] {
    path.strip_suffix(b" (deleted)").unwrap_or(path)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
