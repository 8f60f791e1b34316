//! Checks of what is not a matter of sockets: the account under load, the life of the process, its
//! command line and what it does with hostile names.

mod commands;
mod filters;
mod fixes;
mod history;
mod lifecycle;
mod names;
mod people;
mod status;
mod storm;
mod support;
mod unix;

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
    /// How many times as long as usual the checks that count go on.
    pub times: u32,
    /// All scenarios.
    pub scenarios: &'a [Scenario],
}

/// One check.
type Check = fn(Setting<'_>) -> anyhow::Result<()>;

/// For which backends a check is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Often {
    /// For one is enough: no backend has a part in it.
    Once,
    /// For each.
    Each,
}

use Often::{Each, Once};

/// All checks, by name.
const CHECKS: &[(&str, Often, Check)] = &[
    ("storm", Each, storm::account_is_exact),
    ("kill leaves nothing loaded", Each, lifecycle::kill_leaves_nothing),
    ("two at once", Each, lifecycle::two_at_once),
    ("SIGTERM ends with the summary", Once, lifecycle::sigterm),
    ("--count", Once, lifecycle::count),
    ("--timeout", Once, lifecycle::timeout),
    ("closed pipe", Once, lifecycle::closed_pipe),
    ("--output", Once, lifecycle::output_file),
    ("without root", Once, commands::without_root),
    ("usage errors", Once, commands::usage_errors),
    ("unwritable output", Once, commands::unwritable_output),
    ("hostile names", Once, names::hostile),
    ("hostile arguments and paths", Once, names::hostile_arguments),
    ("tests and secrets in the environment", Once, people::environment),
    ("container of caller and holder", Once, people::container),
    ("name of the network namespace", Once, people::namespace_name),
    ("transient holders", Each, history::transient_holders),
    ("release of a refused port", Each, history::release),
    ("--track-connects", Once, history::track_connects),
    ("memory while ports come and go", Once, history::memory),
    ("cause fixes work", Once, fixes::work),
    ("-q", Once, status::quiet),
    ("-v", Once, status::verbose),
    ("-vv", Once, status::debug_lines),
    ("filter -p", Once, filters::by_pid),
    ("filter -P", Each, filters::by_port),
    ("filter --comm", Once, filters::by_comm),
    ("filter --proto", Once, filters::by_protocol),
    ("filter --netns", Once, filters::by_netns),
    ("filter -e", Once, filters::by_error),
    ("unix: --proto", Once, unix::by_protocol),
    ("unix: -P", Once, unix::by_port),
    ("unix: other family", Once, unix::other_family),
];

/// Names of all checks.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(name, ..)| *name)
}

/// Runs the checks whose names contain `filter`; of those that are made once, all if `is_first`.
pub fn run(setting: Setting<'_>, filter: &str, is_first: bool, report: &mut Report) {
    let wanted = |often: Often, name: &str| name.contains(filter) && (is_first || often == Each);
    for (name, _, check) in CHECKS.iter().filter(|(name, often, _)| wanted(*often, name)) {
        let name = format!("{}: {name}", setting.backend);
        let complaints = check(setting).err().map(|error| format!("{error:#}"));
        report.note(&name, complaints.as_slice());
    }
}
