//! Checks of what is not a matter of sockets: the account under load, the life of the process, its
//! command line and what it does with hostile names.

mod commands;
mod filters;
mod fixes;
mod lifecycle;
mod names;
mod people;
mod status;
mod storm;
mod support;

use std::path::Path;

pub(crate) use support::SOON;

use crate::report::Report;
use crate::scenario::Scenario;

/// Where and how a check runs.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The portbind under test.
    pub portbind: &'a Path,
    /// The backend.
    pub backend: &'a str,
    /// All scenarios.
    pub scenarios: &'a [Scenario],
}

/// One check.
type Check = fn(Setting<'_>) -> anyhow::Result<()>;

/// All checks, by name.
const CHECKS: &[(&str, Check)] = &[
    ("storm", storm::account_is_exact),
    ("kill leaves nothing loaded", lifecycle::kill_leaves_nothing),
    ("two at once", lifecycle::two_at_once),
    ("SIGTERM ends with the summary", lifecycle::sigterm),
    ("--count", lifecycle::count),
    ("--timeout", lifecycle::timeout),
    ("closed pipe", lifecycle::closed_pipe),
    ("--output", lifecycle::output_file),
    ("without root", commands::without_root),
    ("usage errors", commands::usage_errors),
    ("unwritable output", commands::unwritable_output),
    ("hostile names", names::hostile),
    ("hostile arguments and paths", names::hostile_arguments),
    ("tests and secrets in the environment", people::environment),
    ("container of caller and holder", people::container),
    ("name of the network namespace", people::namespace_name),
    ("cause fixes work", fixes::work),
    ("-q", status::quiet),
    ("-v", status::verbose),
    ("-vv", status::debug_lines),
    ("filter -p", filters::by_pid),
    ("filter -P", filters::by_port),
    ("filter --comm", filters::by_comm),
    ("filter --proto", filters::by_protocol),
    ("filter --netns", filters::by_netns),
    ("filter -e", filters::by_error),
];

/// Names of all checks.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(name, _)| *name)
}

/// Runs the checks whose names contain `filter`.
pub fn run(setting: Setting<'_>, filter: &str, report: &mut Report) {
    for (name, check) in CHECKS.iter().filter(|(name, _)| name.contains(filter)) {
        let name = format!("{}: {name}", setting.backend);
        let complaints = check(setting).err().map(|error| format!("{error:#}"));
        report.note(&name, complaints.as_slice());
    }
}
