//! Containers, tests and jobs.

use serde::Serialize;

use crate::diagnosis::event;

/// A container.
#[derive(Debug, Serialize)]
pub struct Container<'a> {
    /// Its id, 64 hexadecimal digits.
    pub id: &'a str,
    /// `docker`, `containerd`, `podman` or `cri-o`.
    pub runtime: Option<&'static str>,
    /// Its name.
    pub name: Option<&'a str>,
    /// The pod of Kubernetes it is part of.
    pub pod: Option<Pod<'a>>,
}

/// A pod of Kubernetes.
#[derive(Debug, Serialize)]
pub struct Pod<'a> {
    /// Its uid.
    pub uid: Option<&'a str>,
    /// Its namespace.
    pub namespace: Option<&'a str>,
    /// Its name.
    pub name: Option<&'a str>,
}

/// A test, a worker of a test runner, or a job of a CI system.
#[derive(Debug, Default, Serialize)]
pub struct Test<'a> {
    /// `pytest`, `nextest`, `vitest` or `jest`.
    pub runner: Option<&'static str>,
    /// The test, as the runner names it.
    pub name: Option<&'a str>,
    /// What the runner calls the program the test is part of.
    pub suite: Option<&'a str>,
    /// Which of the runner's workers runs it.
    pub worker: Option<&'a str>,
    /// Which run of the runner it is.
    pub run: Option<&'a str>,
    /// The process whose environment told of the test.
    pub pid: Option<u32>,
    /// The job of a CI system.
    pub ci: Option<CiJob<'a>>,
}

/// A job of a CI system.
#[derive(Debug, Serialize)]
pub struct CiJob<'a> {
    /// `github`, `gitlab`, `buildkite` or `jenkins`.
    pub system: &'static str,
    /// What is built.
    pub project: Option<&'a str>,
    /// The workflow the job is part of.
    pub workflow: Option<&'a str>,
    /// Name of the job.
    pub name: Option<&'a str>,
    /// Id of the job.
    pub id: Option<&'a str>,
    /// The run, build or pipeline it is part of.
    pub run: Option<&'a str>,
    /// Which attempt of that run it is.
    pub attempt: Option<&'a str>,
    /// The process whose environment told.
    pub pid: u32,
}

impl<'a> From<&'a event::Container> for Container<'a> {
    fn from(container: &'a event::Container) -> Self {
        Self {
            id: &container.id,
            runtime: container.runtime.map(event::Runtime::as_str),
            name: container.name.as_deref(),
            pod: container.pod.as_ref().map(|pod| Pod {
                uid: pod.uid.as_deref(),
                namespace: pod.namespace.as_deref(),
                name: pod.name.as_deref(),
            }),
        }
    }
}

impl<'a> From<&'a event::Job> for Test<'a> {
    fn from(job: &'a event::Job) -> Self {
        let ci = job.ci.as_ref().map(CiJob::from);
        let Some(test) = &job.test else { return Self { ci, ..Self::default() } };
        Self {
            runner: Some(test.runner),
            name: test.name.as_deref(),
            suite: test.suite.as_deref(),
            worker: test.worker.as_deref(),
            run: test.run.as_deref(),
            pid: Some(test.pid),
            ci,
        }
    }
}

impl<'a> From<&'a event::CiJob> for CiJob<'a> {
    fn from(job: &'a event::CiJob) -> Self {
        Self {
            system: job.system,
            project: job.project.as_deref(),
            workflow: job.workflow.as_deref(),
            name: job.name.as_deref(),
            id: job.id.as_deref(),
            run: job.run.as_deref(),
            attempt: job.attempt.as_deref(),
            pid: job.pid,
        }
    }
}
