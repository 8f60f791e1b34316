//! Tests and jobs of CI systems.

/// What a process runs for: a test, a CI job, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// The test.
    pub test: Option<Test>,
    /// The CI job.
    pub ci: Option<CiJob>,
}

/// A test, or a worker of a test runner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Test {
    /// The test runner: `pytest`, `nextest`, `vitest` or `jest`.
    pub runner: &'static str,
    /// The test's name, as the runner reports it.
    pub name: Option<String>,
    /// The runner's name for the program that contains the test.
    pub suite: Option<String>,
    /// The runner's worker that runs it.
    pub worker: Option<String>,
    /// Id of the test run.
    pub run: Option<String>,
    /// The process with the environment that names the test.
    pub pid: u32,
}

/// A CI job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CiJob {
    /// The CI system: `github`, `gitlab`, `buildkite` or `jenkins`.
    pub system: &'static str,
    /// The project that is built.
    pub project: Option<String>,
    /// The job's workflow.
    pub workflow: Option<String>,
    /// Name of the job.
    pub name: Option<String>,
    /// Id of the job.
    pub id: Option<String>,
    /// The run, build or pipeline that contains the job.
    pub run: Option<String>,
    /// The number of the attempt of that run.
    pub attempt: Option<String>,
    /// The process with the environment that names the job.
    pub pid: u32,
}
