//! The integrations for CI systems: the GitHub action, run as GitHub's runner would, and the GitLab job.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::ci::{Folder, TWICE};
use super::setting::Setting;
use crate::programs;

/// The keys of action.yml that portbind uses (the metadata syntax of GitHub Actions).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "description")]
    _description: String,
    inputs: BTreeMap<String, Input>,
    runs: Runs,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(rename = "description")]
    _description: String,
    #[serde(default)]
    required: bool,
    default: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Runs {
    using: String,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "if")]
    condition: Option<String>,
    shell: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    run: String,
}

impl Action {
    /// The variables of a step, for a job with these inputs.
    fn variables(
        &self,
        step: &Step,
        given: &BTreeMap<&str, String>,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let value = |text: &String| {
            let name = text.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}"));
            let name = name.with_context(|| format!("{text} is no input"))?;
            let input = self.inputs.get(name).with_context(|| format!("{name} is not declared"))?;
            given
                .get(name)
                .or(input.default.as_ref())
                .cloned()
                .with_context(|| format!("{name} is not given"))
        };
        step.env.iter().map(|(name, text)| Ok((name.clone(), value(text)?))).collect()
    }
}

/// The action's last step runs the command of a job, with the status that bash returns; the findings are on the page of
/// the step, in the recording and in the report.
pub(super) fn github(setting: Setting<'_>) -> anyhow::Result<()> {
    let action: Action = serde_saphyr::from_str(&fs::read_to_string("action.yml").context("action.yml")?)?;
    ensure!(action.runs.using == "composite", "another kind of action: {}", action.runs.using);
    ensure!(action.runs.steps.iter().all(|step| step.shell == "bash"), "another shell than bash");
    let [build, run] = action.runs.steps.as_slice() else { anyhow::bail!("other steps than two") };
    ensure!(build.condition.as_deref() == Some("inputs.program == ''"), "what is there is built once more");
    let undecided = action.inputs.iter().find(|(_, input)| input.required == input.default.is_some());
    ensure!(undecided.is_none(), "neither required nor has a default: {undecided:?}");
    let folder = Folder::new("action")?;
    folder.file("twice.py", TWICE, 0o644, 0)?;
    let page = folder.file("page", "", 0o644, 0)?;
    let program = std::path::absolute(setting.portbind)?.display().to_string();
    for (command, fail_on, status) in [
        ("cd . && python3 twice.py | cat; echo not here", "", 1),
        ("set +e +o pipefail; python3 twice.py | cat; exit 7", "", 7),
        ("python3 twice.py || true", "", 0),
        ("python3 twice.py || true", "refusal", 1),
    ] {
        let given = [("run", command), ("program", &program), ("fail-on", fail_on)];
        let given = given.map(|(name, value)| (name, value.to_owned())).into();
        let mut step = programs::BASH.command()?;
        step.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &run.run]);
        step.envs(action.variables(run, &given)?).env("GITHUB_STEP_SUMMARY", &page);
        step.env("GITHUB_ACTION_PATH", std::env::current_dir()?).env("GITHUB_ACTIONS", "true");
        let output = step.current_dir(folder.path()).stdin(Stdio::null()).output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(status), "{command}: {}:\n{stderr}", output.status);
        ensure!(output.stdout == b"the output of the command\n", "{command}: another output");
        ensure!(stderr.contains("\n::error title="), "{command}: no annotation:\n{stderr}");
    }
    let shown = |name: &Path, words: &str| {
        let text =
            fs::read_to_string(folder.path().join(name)).with_context(|| name.display().to_string())?;
        ensure!(text.matches(words).count() == 4, "{} does not tell of four runs", name.display());
        Ok(())
    };
    shown(&page, "### portbind: 1 refusal")?;
    shown(Path::new("portbind.jsonl"), "\"kind\":\"refusal\"")?;
    ensure!(folder.path().join("portbind.html").exists(), "no report");
    Ok(())
}

/// The keys of a GitLab job that portbind uses (the keywords of `.gitlab-ci.yml`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    variables: BTreeMap<String, String>,
    before_script: Vec<String>,
    artifacts: Artifacts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Artifacts {
    when: String,
    paths: Vec<String>,
}

/// A job that extends the hidden one runs its command as the guide describes, and keeps the artifacts.
pub(super) fn gitlab(setting: Setting<'_>) -> anyhow::Result<()> {
    let text = fs::read_to_string("packaging/ci/gitlab.yml").context("packaging/ci/gitlab.yml")?;
    let jobs: BTreeMap<String, Job> = serde_saphyr::from_str(&text)?;
    let job = jobs.get(".portbind").context("no job to extend")?;
    ensure!(job.artifacts.when == "always", "what a failed job left is not kept");
    let folder = Folder::new("gitlab")?;
    folder.file("twice.py", TWICE, 0o644, 0)?;
    let program = std::path::absolute(setting.portbind)?;
    let tools = program.parent().context("portbind is in no folder")?;
    let path = std::env::join_paths([tools, Path::new("/usr/bin"), Path::new("/bin")])?;
    let script = "portbind run $PORTBIND_OPTIONS -- python3 twice.py".to_owned();
    let lines: Vec<String> = job.before_script.iter().cloned().chain([script]).collect();
    let mut command = programs::BASH.command()?;
    command.args(["-eo", "pipefail", "-c", &lines.join("\n")]).envs(&job.variables).env("PATH", path);
    let output = command.env("GITLAB_CI", "true").current_dir(folder.path()).stdin(Stdio::null()).output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(1), "{}:\n{stderr}", output.status);
    ensure!(stderr.contains("\u{1b}[0Ksection_start:"), "no section:\n{stderr}");
    for path in &job.artifacts.paths {
        ensure!(folder.path().join(path).exists(), "there is no {path}");
    }
    Ok(())
}
