//! Containers, tests and jobs.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event;

/// A container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Container<'a> {
    /// The container's id, 64 hexadecimal digits.
    pub id: Cow<'a, str>,
    /// `docker`, `containerd`, `podman` or `cri-o`.
    pub runtime: Option<Cow<'a, str>>,
    /// The container's name.
    pub name: Option<Cow<'a, str>>,
    /// The Kubernetes pod of the container.
    pub pod: Option<Pod<'a>>,
}

/// A Kubernetes pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Pod<'a> {
    /// The pod's uid.
    pub uid: Option<Cow<'a, str>>,
    /// The pod's namespace.
    pub namespace: Option<Cow<'a, str>>,
    /// The pod's name.
    pub name: Option<Cow<'a, str>>,
}

/// A test, a worker of a test runner, or a job of a CI system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Test<'a> {
    /// `pytest`, `nextest`, `vitest` or `jest`.
    pub runner: Option<Cow<'a, str>>,
    /// The test, as the runner reports it.
    pub name: Option<Cow<'a, str>>,
    /// The runner's name for the program that contains the test.
    pub suite: Option<Cow<'a, str>>,
    /// The worker of the runner that runs the test.
    pub worker: Option<Cow<'a, str>>,
    /// The id of the runner's run.
    pub run: Option<Cow<'a, str>>,
    /// The process whose environment names the test.
    pub pid: Option<u32>,
    /// The job of a CI system.
    pub ci: Option<CiJob<'a>>,
}

/// A job of a CI system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct CiJob<'a> {
    /// `github`, `gitlab`, `buildkite` or `jenkins`.
    pub system: Cow<'a, str>,
    /// The project that is built.
    pub project: Option<Cow<'a, str>>,
    /// The workflow of the job.
    pub workflow: Option<Cow<'a, str>>,
    /// Name of the job.
    pub name: Option<Cow<'a, str>>,
    /// Id of the job.
    pub id: Option<Cow<'a, str>>,
    /// The run, build or pipeline of the job.
    pub run: Option<Cow<'a, str>>,
    /// The attempt number of the run.
    pub attempt: Option<Cow<'a, str>>,
    /// The process whose environment names the job.
    pub pid: u32,
}

impl<'a> From<&'a event::Container> for Container<'a> {
    fn from(container: &'a event::Container) -> Self {
        Self {
            id: container.id.as_str().into(),
            runtime: container.runtime.map(|runtime| runtime.as_str().into()),
            name: container.name.as_deref().map(Cow::from),
            pod: container.pod.as_ref().map(|pod| Pod {
                uid: pod.uid.as_deref().map(Cow::from),
                namespace: pod.namespace.as_deref().map(Cow::from),
                name: pod.name.as_deref().map(Cow::from),
            }),
        }
    }
}

impl<'a> From<&'a event::Job> for Test<'a> {
    fn from(job: &'a event::Job) -> Self {
        let ci = job.ci.as_ref().map(CiJob::from);
        let Some(test) = &job.test else { return Self { ci, ..Self::default() } };
        Self {
            runner: Some(test.runner.into()),
            name: test.name.as_deref().map(Cow::from),
            suite: test.suite.as_deref().map(Cow::from),
            worker: test.worker.as_deref().map(Cow::from),
            run: test.run.as_deref().map(Cow::from),
            pid: Some(test.pid),
            ci,
        }
    }
}

impl<'a> From<&'a event::CiJob> for CiJob<'a> {
    fn from(job: &'a event::CiJob) -> Self {
        Self {
            system: job.system.into(),
            project: job.project.as_deref().map(Cow::from),
            workflow: job.workflow.as_deref().map(Cow::from),
            name: job.name.as_deref().map(Cow::from),
            id: job.id.as_deref().map(Cow::from),
            run: job.run.as_deref().map(Cow::from),
            attempt: job.attempt.as_deref().map(Cow::from),
            pid: job.pid,
        }
    }
}
