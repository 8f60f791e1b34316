//! Which test or CI job a process works for, from the environment that the process was started with.
//!
//! An environment is full of secrets. From `/proc/PID/environ`, only the variables in `RUNNERS` and `SYSTEMS` are read,
//! by their full names; the rest is overwritten before its memory is freed, and none of it is ever kept or printed.

use super::procfs::Procfs;
use crate::event::{CiJob, Job, Test};

/// The most bytes of an environment that are read.
const MAX_BYTES: u64 = 128 * 1024;
/// Longer values are cut.
const MAX_VALUE: usize = 4096;

/// A test runner, and the variables that name its tests and workers.
struct Runner {
    word: &'static str,
    name: &'static str,
    suite: &'static str,
    worker: &'static [&'static str],
    run: &'static str,
}

/// Runners that name the test come first: one runner may start another.
const RUNNERS: [Runner; 4] = [
    Runner {
        word: "pytest",
        name: "PYTEST_CURRENT_TEST",
        suite: "",
        worker: &["PYTEST_XDIST_WORKER"],
        run: "PYTEST_XDIST_TESTRUNUID",
    },
    Runner {
        word: "nextest",
        name: "NEXTEST_TEST_NAME",
        suite: "NEXTEST_BINARY_ID",
        worker: &["NEXTEST_TEST_GLOBAL_SLOT"],
        run: "NEXTEST_RUN_ID",
    },
    Runner { word: "vitest", name: "", suite: "", worker: &["VITEST_WORKER_ID", "VITEST_POOL_ID"], run: "" },
    Runner { word: "jest", name: "", suite: "", worker: &["JEST_WORKER_ID"], run: "" },
];

/// A CI system, and the variables that name its jobs. The variable `mark` identifies the system; its value is never
/// kept.
struct System {
    word: &'static str,
    mark: &'static str,
    project: &'static str,
    workflow: &'static str,
    name: &'static str,
    id: &'static str,
    run: &'static str,
    attempt: &'static str,
}

const SYSTEMS: [System; 4] = [
    System {
        word: "github",
        mark: "GITHUB_ACTIONS",
        project: "GITHUB_REPOSITORY",
        workflow: "GITHUB_WORKFLOW",
        name: "GITHUB_JOB",
        id: "",
        run: "GITHUB_RUN_ID",
        attempt: "GITHUB_RUN_ATTEMPT",
    },
    System {
        word: "gitlab",
        mark: "GITLAB_CI",
        project: "CI_PROJECT_PATH",
        workflow: "",
        name: "CI_JOB_NAME",
        id: "CI_JOB_ID",
        run: "CI_PIPELINE_ID",
        attempt: "",
    },
    System {
        word: "buildkite",
        mark: "BUILDKITE",
        project: "BUILDKITE_PIPELINE_SLUG",
        workflow: "",
        name: "BUILDKITE_LABEL",
        id: "BUILDKITE_JOB_ID",
        run: "BUILDKITE_BUILD_NUMBER",
        attempt: "BUILDKITE_RETRY_COUNT",
    },
    System {
        word: "jenkins",
        mark: "JENKINS_URL",
        project: "",
        workflow: "",
        name: "JOB_NAME",
        id: "",
        run: "BUILD_NUMBER",
        attempt: "",
    },
];

/// The test or job of a process: from its own environment first, then from the environments of its ancestors, nearest
/// first. A runner may set the variable of a test in its own memory, where it is invisible; the children that the
/// runner starts meanwhile inherit the variable.
pub(super) fn job(procfs: &Procfs, pid: u32, above: impl Iterator<Item = u32>) -> Option<Job> {
    let mut job = Job::default();
    // Init works for no job, and only the kernel is above init.
    let above = above.filter(|&pid| pid != 1);
    for pid in std::iter::once(pid).chain(above) {
        if job.test.is_some() && job.ci.is_some() {
            break;
        }
        let Some(mut bytes) = procfs.read_up_to(&format!("{pid}/environ"), MAX_BYTES) else { continue };
        job = nearer(job, &of_environment(&bytes, pid));
        bytes.fill(0);
        // Otherwise the compiler would remove the zeroing as a dead store.
        std::hint::black_box(&bytes);
    }
    (job != Job::default()).then_some(job)
}

/// The job of the command that process `pid` is about to execute: from the environment that the command will have, then
/// from the known job of the process.
#[must_use]
pub fn job_to_be(environment: &[u8], pid: u32, known: Option<&Job>) -> Option<Job> {
    let job = nearer(of_environment(environment, pid), known.unwrap_or(&Job::default()));
    (job != Job::default()).then_some(job)
}

/// The job of process `pid` in one environment.
fn of_environment(environment: &[u8], pid: u32) -> Job {
    let environment = Environment(environment);
    Job {
        test: RUNNERS.iter().find_map(|runner| test(runner, environment, pid)),
        ci: SYSTEMS.iter().find_map(|system| ci(system, environment, pid)),
    }
}

/// The job of a nearer process, completed from the job of an ancestor.
fn nearer(near: Job, far: &Job) -> Job {
    Job { test: near.test.or_else(|| far.test.clone()), ci: near.ci.or_else(|| far.ci.clone()) }
}

fn test(runner: &Runner, environment: Environment<'_>, pid: u32) -> Option<Test> {
    let name = environment.value(runner.name).map(|name| without_phase(&name).to_owned());
    let worker = runner.worker.iter().find_map(|variable| environment.value(variable));
    let (suite, run) = (environment.value(runner.suite), environment.value(runner.run));
    let is_shown = name.is_some() || worker.is_some() || run.is_some();
    is_shown.then_some(Test { runner: runner.word, name, suite, worker, run, pid })
}

/// The name of a test without the suffix that pytest adds: ` (setup)`, ` (call)` or ` (teardown)`
/// (_update_current_test_var in src/_pytest/runner.py).
fn without_phase(name: &str) -> &str {
    let phases = [" (setup)", " (call)", " (teardown)"];
    phases.iter().find_map(|phase| name.strip_suffix(phase)).unwrap_or(name)
}

fn ci(system: &System, environment: Environment<'_>, pid: u32) -> Option<CiJob> {
    environment.has(system.mark).then(|| CiJob {
        system: system.word,
        project: environment.value(system.project),
        workflow: environment.value(system.workflow),
        name: environment.value(system.name),
        id: environment.value(system.id),
        run: environment.value(system.run),
        attempt: environment.value(system.attempt),
        pid,
    })
}

/// The bytes of `/proc/PID/environ` (environ_read in fs/proc/base.c): `NAME=value` entries, each ended by a NUL.
#[derive(Clone, Copy)]
struct Environment<'a>(&'a [u8]);

impl<'a> Environment<'a> {
    /// The value of a variable; the first entry wins, as in getenv(3). A truncated entry does not count.
    fn bytes(self, name: &str) -> Option<&'a [u8]> {
        if name.is_empty() {
            return None;
        }
        let entries = self.0.split_inclusive(|&byte| byte == 0).filter_map(|entry| entry.strip_suffix(&[0]));
        let mut values = entries.filter_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        values.next()
    }

    fn has(self, name: &str) -> bool {
        self.bytes(name).is_some_and(|value| !value.is_empty())
    }

    fn value(self, name: &str) -> Option<String> {
        let value = self.bytes(name).filter(|value| !value.is_empty())?;
        Some(String::from_utf8_lossy(value.get(..MAX_VALUE).unwrap_or(value)).into_owned())
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
