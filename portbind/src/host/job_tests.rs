use std::fs;

use proptest::prelude::*;

use super::*;

/// The job of process 9, whose ancestors are 8 and 1, from their environments.
fn job_of(environments: &[(u32, &[&str])]) -> Option<Job> {
    let root = tempfile::tempdir().unwrap();
    for (pid, variables) in environments {
        fs::create_dir(root.path().join(pid.to_string())).unwrap();
        let bytes: String = variables.iter().map(|variable| format!("{variable}\0")).collect();
        fs::write(root.path().join(format!("{pid}/environ")), bytes).unwrap();
    }
    job(&Procfs::at(root.path()), 9, [8, 1].into_iter())
}

fn test_of(variables: &[&str]) -> Option<Test> {
    job_of(&[(9, variables)])?.test
}

fn ci_of(variables: &[&str]) -> Option<CiJob> {
    job_of(&[(9, variables)])?.ci
}

fn some(word: &str) -> Option<String> {
    (!word.is_empty()).then(|| word.to_owned())
}

#[test]
fn knows_the_test_runners() {
    let test = |runner, [name, suite, worker, run]: [&str; 4]| Test {
        runner,
        name: some(name),
        suite: some(suite),
        worker: some(worker),
        run: some(run),
        pid: 9,
    };
    let cases: [(&[&str], Test); 6] = [
        (
            &["PYTEST_CURRENT_TEST=tests/test_api.py::test_x[a b] (call)", "PYTEST_XDIST_WORKER=gw1"],
            test("pytest", ["tests/test_api.py::test_x[a b]", "", "gw1", ""]),
        ),
        (&["PYTEST_CURRENT_TEST=t.py::t (odd)"], test("pytest", ["t.py::t (odd)", "", "", ""])),
        (
            &["NEXTEST=1", "NEXTEST_RUN_ID=r", "NEXTEST_BINARY_ID=web", "NEXTEST_TEST_NAME=api::x"],
            test("nextest", ["api::x", "web", "", "r"]),
        ),
        (&["JEST_WORKER_ID=2"], test("jest", ["", "", "2", ""])),
        (&["JEST_WORKER_ID=2", "VITEST_POOL_ID=4", "VITEST_WORKER_ID=3"], test("vitest", ["", "", "3", ""])),
        (&["VITEST_POOL_ID=4"], test("vitest", ["", "", "4", ""])),
    ];
    for (variables, expected) in cases {
        assert_eq!(test_of(variables), Some(expected), "{variables:?}");
    }
    for none in [&["PYTEST_CURRENT_TEST="][..], &["XPYTEST_CURRENT_TEST=a"], &["VITEST=true"], &[]] {
        assert_eq!(test_of(none), None, "{none:?}");
    }
}

#[test]
fn knows_the_ci_systems() {
    let github = ["GITHUB_ACTIONS=true", "GITHUB_REPOSITORY=a/b", "GITHUB_WORKFLOW=CI", "GITHUB_JOB=build"];
    let expected = CiJob {
        system: "github",
        project: some("a/b"),
        workflow: some("CI"),
        name: some("build"),
        run: some("77"),
        attempt: some("2"),
        pid: 9,
        ..CiJob::default()
    };
    let both = [&github[..], &["GITHUB_RUN_ID=77", "GITHUB_RUN_ATTEMPT=2"]].concat();
    assert_eq!(ci_of(&both), Some(expected));
    let gitlab =
        ["GITLAB_CI=true", "CI_JOB_ID=5", "CI_JOB_NAME=unit", "CI_PIPELINE_ID=6", "CI_PROJECT_PATH=g/p"];
    let expected = CiJob {
        system: "gitlab",
        project: some("g/p"),
        name: some("unit"),
        id: some("5"),
        run: some("6"),
        pid: 9,
        ..CiJob::default()
    };
    assert_eq!(ci_of(&gitlab), Some(expected));
    let shown =
        ci_of(&["BUILDKITE=true", "BUILDKITE_LABEL=:rust: test", "BUILDKITE_BUILD_NUMBER=3"]).unwrap();
    assert_eq!((shown.system, shown.name, shown.run), ("buildkite", some(":rust: test"), some("3")));
    let shown = ci_of(&["JENKINS_URL=https://user:token@ci/", "JOB_NAME=nightly", "BUILD_NUMBER=4"]).unwrap();
    assert_eq!((shown.system, shown.name, shown.run), ("jenkins", some("nightly"), some("4")));
    // Without the mark of the CI system, any program may use these names.
    assert_eq!(ci_of(&["JOB_NAME=nightly", "BUILD_NUMBER=4", "CI=true", "CI_JOB_ID=5"]), None);
}

#[test]
fn the_nearest_environment_counts() {
    let parent: &[&str] = &["PYTEST_CURRENT_TEST=a.py::outer (call)", "GITHUB_ACTIONS=true", "GITHUB_JOB=j"];
    let job = job_of(&[(9, &["HOME=/"]), (8, parent)]).unwrap();
    assert_eq!(job.test.map(|test| (test.name, test.pid)), Some((some("a.py::outer"), 8)));
    assert_eq!(job.ci.map(|ci| (ci.name, ci.pid)), Some((some("j"), 8)));
    let job = job_of(&[(9, &["PYTEST_CURRENT_TEST=a.py::inner"]), (8, parent)]).unwrap();
    assert_eq!(job.test.map(|test| (test.name, test.pid)), Some((some("a.py::inner"), 9)));
    assert_eq!(job.ci.map(|ci| ci.pid), Some(8));
    assert_eq!(job_of(&[(9, &[]), (1, parent)]), None);
    assert_eq!(job_of(&[]), None);
}

#[test]
fn no_other_variable_is_kept() {
    let secrets = [
        "AWS_SECRET_ACCESS_KEY=hunter2",
        "GITHUB_TOKEN=hunter2",
        "ACTIONS_RUNTIME_TOKEN=hunter2",
        "CI_JOB_TOKEN=hunter2",
        "CI_JOB_NAME_SLUG=hunter2",
        "BUILDKITE_AGENT_ACCESS_TOKEN=hunter2",
        "JENKINS_URL=hunter2",
        "GITHUB_ACTIONS=hunter2",
        "GITLAB_CI=hunter2",
        "BUILDKITE=hunter2",
        "NEXTEST_RUN_ID_=hunter2",
        "X\nGITHUB_JOB=hunter2",
        "=hunter2",
        "hunter2",
    ];
    let all = [&secrets[..], &["GITHUB_JOB=build", "NEXTEST_RUN_ID=r"]].concat();
    let job = job_of(&[(9, &all), (8, &secrets)]).unwrap();
    assert_eq!(job.ci.as_ref().unwrap().name, some("build"));
    assert!(!format!("{job:?}").contains("hunter2"), "{job:?}");
}

#[test]
fn all_that_is_cut_does_not_count() {
    let limit = usize::try_from(MAX_BYTES).unwrap();
    let fill = |left: usize| format!("X={}", "x".repeat(limit - left - "X=\0".len()));
    let variable = "PYTEST_CURRENT_TEST=a.py::t";
    let fits = fill(variable.len() + 1);
    assert!(test_of(&[&fits, variable]).is_some());
    assert_eq!(test_of(&[&fill(variable.len()), variable]), None);
    let long = format!("JEST_WORKER_ID={}", "1".repeat(MAX_VALUE + 1));
    assert_eq!(test_of(&[&long]).unwrap().worker.unwrap().len(), MAX_VALUE);
    // The first entry wins.
    assert_eq!(test_of(&["JEST_WORKER_ID=1", "JEST_WORKER_ID=2"]).unwrap().worker, some("1"));
}

proptest! {
    #[test]
    fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let environment = Environment(&bytes);
        for runner in &RUNNERS {
            drop(test(runner, environment, 1));
        }
        for system in &SYSTEMS {
            drop(ci(system, environment, 1));
        }
    }
}
