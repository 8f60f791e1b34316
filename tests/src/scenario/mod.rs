//! Scenarios: what to do with which sockets, and what must be told of it.
//!
//! ```toml
//! [[scenario]]
//! name = "listener"
//! repeat = 2                                   # each time with new actors and ports
//! needs = { kernel = "6.1" }                   # skipped, and counted, on older kernels
//! cases = [{ held = "0.0.0.0" }, { held = "127.0.0.1" }]     # $held in the steps
//! steps = [
//!   { actor = "holder", do = "socket", new = "old", family = "inet", protocol = "tcp", address = "$held", port = "$A", listen = true },
//!   { actor = "binder", do = "socket", new = "new", family = "inet", protocol = "tcp" },
//!   { actor = "binder", do = "bind", socket = "new", address = "127.0.0.1", port = "$A", expect = "EADDRINUSE", event = { holders = [{ socket = "old", processes = ["holder"] }] } },
//! ]
//! ```
//!
//! A `$` with one capital letter is a free port, the same in all steps of one repetition.

mod expand;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::actor::Action;

/// A scenario file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Its scenarios.
    scenario: Vec<Scenario>,
}

/// One scenario, its variables not yet replaced.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// How often it is played.
    #[serde(default = "once")]
    pub repeat: u32,
    /// Where it can be played.
    #[serde(default)]
    pub needs: Needs,
    /// Values of its variables; played once for each.
    #[serde(default)]
    cases: Vec<toml::Table>,
    /// Its steps, as written.
    steps: Vec<toml::Value>,
}

/// What a scenario needs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// The oldest kernel that has what it tests.
    pub kernel: Option<String>,
    /// The backends that can see it.
    pub backend: Option<Vec<String>>,
    /// A file that only kernels with what it tests have.
    pub file: Option<PathBuf>,
}

/// One step.
#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    /// Who does it.
    pub actor: String,
    /// The errno it must get; success if absent.
    pub expect: Option<String>,
    /// What portbind must say; also without this, of every bind and listen that must fail.
    pub event: Option<Expected>,
    /// Who does it is another program: started from an executable of its own.
    #[serde(default)]
    pub stranger: bool,
    /// Remembers when this step was done.
    pub mark: Option<String>,
    /// What to do.
    #[serde(flatten)]
    pub action: Action,
}

/// What portbind must say of a refusal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// The operation, if not the step's own.
    pub operation: Option<String>,
    /// The errno, if not the caller's.
    pub error: Option<String>,
    /// The address, if not the one asked for.
    pub address: Option<IpAddr>,
    /// The port, if not the one asked for.
    pub port: Option<u16>,
    /// The protocol.
    pub protocol: Option<String>,
    /// The code of the cause.
    pub cause: Option<String>,
    /// What its sentence holds; `$folder` stands for the folder of the play.
    pub says: Option<String>,
    /// Those who stand in the way.
    pub holders: Vec<ExpectedHolder>,
    /// Nobody does.
    pub no_holder: bool,
    /// Others than `holders` may stand in the way.
    pub others: bool,
    /// Labels of sockets that do not.
    pub not_blamed: Vec<String>,
    /// Codes of exactly the remedies, in their order.
    pub fixes: Option<Vec<String>>,
    /// What the first remedy holds, as `says`.
    pub fix_says: Option<String>,
}

/// A socket that stands in the way.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedHolder {
    /// Its label; without, a socket without an inode.
    pub socket: Option<String>,
    /// Its state.
    pub state: Option<String>,
    /// Who can have it open.
    pub ownership: Option<String>,
    /// Its owner.
    pub uid: Option<u32>,
    /// Names of exactly the processes that have it open.
    pub processes: Option<Vec<String>>,
    /// In TIME_WAIT since this mark.
    pub time_wait_since: Option<String>,
    /// Name of the process that gave it its port.
    pub opened_by: Option<String>,
    /// Name of the process that closed the connection first.
    pub left_by: Option<String>,
}

/// A scenario with all its variables replaced.
#[derive(Clone, Debug)]
pub struct Play {
    /// What it is called in messages.
    pub title: String,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// `repeat` if absent.
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
    /// How many cases it has.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.cases.len().max(1)
    }

    /// One case with ports.
    ///
    /// # Errors
    ///
    /// If a variable has no value, a step is no step, or no port is left.
    pub fn play(&self, case: usize, port: impl FnMut() -> anyhow::Result<u16>) -> anyhow::Result<Play> {
        let values = self.cases.get(case);
        let title = expand::title(&self.name, values);
        let mut variables = expand::Variables::new(values, port);
        let mut steps = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let context = || format!("{title}: step {}", index + 1);
            let step = variables.replace(step).with_context(context)?;
            steps.push(step.try_into().with_context(context)?);
        }
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

    /// The first play of a scenario with one step.
    fn one_step(step: &str) -> anyhow::Result<Play> {
        let file: File = toml::from_str(&format!("[[scenario]]\nname = 'x'\nsteps = [{step}]"))?;
        file.scenario[0].play(0, || Ok(12_345))
    }

    #[test]
    fn a_port_is_filled_in() {
        let play =
            one_step("{ actor = 'a', do = 'bind', socket = 's', address = '::1', port = '$A' }").unwrap();
        assert!(matches!(play.steps[0].action, Action::Bind { port: 12_345, .. }));
    }

    #[test]
    fn a_wrong_word_is_an_error() {
        assert!(one_step("{ actor = 'a', do = 'close', socket = 's' }").is_ok());
        assert!(one_step("{ actor = 'a', do = 'close', socket = 's', sokcet = 's' }").is_err());
        assert!(one_step("{ actor = 'a', do = 'clsoe', socket = 's' }").is_err());
        assert!(one_step("{ actor = 'a', do = 'close', socket = '$unknown' }").is_err());
        assert!(one_step("{ actor = 'a', do = 'close', socket = 's', event = { holder = [] } }").is_err());
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
