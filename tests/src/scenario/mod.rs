//! Scenarios: calls on sockets, and what portbind must report about them.
//!
//! tests/README.md describes the files. Steps are lines of words (`step`, `verb`, `endpoint`) with variables for the
//! values of a case and for ports (`expand`); the expected report of a refusal is a table (`expected`).

mod endpoint;
mod expand;
mod expected;
mod step;
mod verb;
mod words;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

pub use self::expected::{Expected, ExpectedHolder};
pub use self::step::Step;

/// A scenario file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Its scenarios.
    scenario: Vec<Scenario>,
}

/// One scenario, before its variables are replaced.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Number of plays.
    #[serde(default = "once")]
    pub repeat: u32,
    /// What the scenario requires of the machine.
    #[serde(default)]
    pub needs: Needs,
    /// Values of its variables; the scenario is played once per case.
    #[serde(default)]
    cases: Vec<toml::Table>,
    /// Its steps as written in the file.
    steps: Vec<String>,
    /// The expected report of each refused step, in the order of the steps.
    #[serde(default)]
    event: Vec<toml::Value>,
}

/// The requirements of a scenario.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// The oldest kernel with the tested feature.
    pub kernel: Option<String>,
    /// The backends that can record it.
    pub backend: Option<Vec<String>>,
    /// A file that exists only on kernels with the tested feature.
    pub file: Option<PathBuf>,
}

/// A scenario with all its variables replaced.
#[derive(Clone, Debug)]
pub struct Play {
    /// Its name in messages.
    pub title: String,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// The default of `repeat`.
const fn once() -> u32 {
    1
}

/// Reads all scenario files of a folder, in the order of their names.
///
/// # Errors
///
/// If a file cannot be read or is not a list of scenarios.
pub fn load(folder: &Path) -> anyhow::Result<Vec<Scenario>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let file: File =
            toml::from_str(&text).with_context(|| format!("{} is no scenario file", path.display()))?;
        all.extend(file.scenario);
    }
    Ok(all)
}

impl Scenario {
    /// The number of cases.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.cases.len().max(1)
    }

    /// One case with its ports.
    ///
    /// # Errors
    ///
    /// If a variable has no value or is unused, a step is invalid, steps and events do not match, or no port is left.
    pub fn play(&self, case: usize, port: impl FnMut() -> anyhow::Result<u16>) -> anyhow::Result<Play> {
        let values = self.cases.get(case);
        let title = expand::title(&self.name, values);
        let mut variables = expand::Variables::new(values, port);
        let mut steps = Vec::new();
        for (index, text) in self.steps.iter().enumerate() {
            let step = variables.text(text).and_then(|text| Step::parse(&text));
            steps.push(step.with_context(|| format!("{title}: step {} ({text})", index + 1))?);
        }
        let refused: Vec<&mut Step> = steps.iter_mut().filter(|step| step.expect.is_some()).collect();
        let (arrows, events) = (refused.len(), self.event.len());
        ensure!(arrows == events, "{title}: steps with an arrow: {arrows}, events: {events}");
        for (index, (step, event)) in refused.into_iter().zip(&self.event).enumerate() {
            let event = variables.replace(event).and_then(|event| Ok(event.try_into()?));
            step.event = Some(event.with_context(|| format!("{title}: event {}", index + 1))?);
        }
        variables.finish().with_context(|| title.clone())?;
        Ok(Play { title, steps })
    }
}

impl Play {
    /// The codes of the causes that its steps expect.
    pub fn causes(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| step.event.as_ref()?.cause.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Action;

    /// The first play of a scenario.
    fn play(rest: &str) -> anyhow::Result<Play> {
        let file: File = toml::from_str(&format!("[[scenario]]\nname = 'x'\n{rest}"))?;
        file.scenario[0].play(0, || Ok(12_345))
    }

    /// The whole error of a scenario.
    fn error(rest: &str) -> String {
        format!("{:#}", play(rest).unwrap_err())
    }

    #[test]
    fn values_and_ports_are_filled_in() {
        let play = play("cases = [{ asked = '[::1]' }]\nsteps = ['a: bind s $asked:$A']").unwrap();
        assert_eq!(play.title, "x [[::1]]");
        assert!(matches!(play.steps[0].action, Action::Bind { port: 12_345, .. }));
    }

    #[test]
    fn events_are_those_of_the_steps_with_an_arrow() {
        let play = play(
            "cases = [{ code = 'listener' }]\n\
             steps = ['a: listen s -> EADDRINUSE', 'a: exit', 'b: listen s -> EINVAL']\n\
             [[scenario.event]]\ncause = '$code'\n[[scenario.event]]\nno_holder = true",
        )
        .unwrap();
        assert_eq!(play.causes().collect::<Vec<_>>(), ["listener"]);
        assert!(play.steps[1].event.is_none());
        assert!(play.steps[2].event.as_ref().is_some_and(|event| event.no_holder));
    }

    #[test]
    fn an_error_names_scenario_step_and_word() {
        assert_eq!(
            error("steps = ['a: exit', 'a: clsoe s $A now']").split(';').next().unwrap(),
            "x: step 2 (a: clsoe s $A now): \"clsoe\" is not a verb"
        );
        assert_eq!(
            error("cases = [{ held = 1 }]\nsteps = ['a: close $label']"),
            "x [1]: step 1 (a: close $label): $label has no value in this case"
        );
        assert_eq!(
            error("cases = [{ held = 1 }]\nsteps = ['a: exit']"),
            "x [1]: the case has held, but no step and no event has $held"
        );
    }

    #[test]
    fn an_event_that_does_not_fit_is_an_error() {
        let refused = "steps = ['a: listen s -> EINVAL']";
        assert_eq!(error(refused), "x: steps with an arrow: 1, events: 0");
        let wrong = error(&format!("{refused}\n[[scenario.event]]\nholder = []"));
        assert!(wrong.starts_with("x: event 1: unknown field `holder`"), "{wrong}");
        assert!(error("step = ['a: exit']").contains("unknown field `step`"));
    }

    #[test]
    fn the_example_of_the_page_is_right() {
        let page = include_str!("../../README.md");
        let example = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let file: File = toml::from_str(example).unwrap();
        let play = file.scenario[0].play(0, || Ok(12_345)).unwrap();
        assert_eq!(play.causes().count(), 1);
    }

    #[test]
    fn the_scenario_files_are_right() {
        let all = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")).unwrap();
        for scenario in &all {
            for case in 0..scenario.cases() {
                scenario.play(case, || Ok(12_345)).unwrap();
            }
        }
        assert!(!all.is_empty());
    }
}
