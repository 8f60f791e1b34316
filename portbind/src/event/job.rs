//! Tests and jobs of CI systems.

/// What a process works for: a test, a job of a CI system, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// The test.
    pub test: Option<Test>,
    /// The job of a CI system.
    pub ci: Option<CiJob>,
}

/// A test, or a worker of a test runner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Test {
    /// The test runner: `pytest`, `nextest`, `vitest` or `jest`.
    pub runner: &'static str,
    /// The test, as the runner names it.
    pub name: Option<String>,
    /// What the runner calls the program the test is part of.
    pub suite: Option<String>,
    /// Which of the runner's workers runs it.
    pub worker: Option<String>,
    /// Which run of the runner it is.
    pub run: Option<String>,
    /// The process whose environment told.
    pub pid: u32,
}

/// A job of a CI system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CiJob {
    /// The CI system: `github`, `gitlab`, `buildkite` or `jenkins`.
    pub system: &'static str,
    /// What is built.
    pub project: Option<String>,
    /// The workflow the job is part of.
    pub workflow: Option<String>,
    /// Name of the job.
    pub name: Option<String>,
    /// Id of the job.
    pub id: Option<String>,
    /// The run, build or pipeline it is part of.
    pub run: Option<String>,
    /// Which attempt of that run it is.
    pub attempt: Option<String>,
    /// The process whose environment told.
    pub pid: u32,
}
