//! Checks of what is not a matter of sockets: the account under load, the life of the process, its
//! command line and what it does with hostile names.

mod action;
mod ask;
mod browser;
mod check;
mod ci;
mod commands;
mod copies;
mod filters;
mod fixes;
mod flaky;
mod free;
mod history;
mod lifecycle;
mod logs;
mod names;
mod owners;
mod people;
mod reports;
mod run;
mod status;
mod storm;
mod support;
mod unix;
mod wait;
mod who;

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
    ("storm: repeats are counted", Each, storm::repeats_are_counted),
    ("storm: nobody is hidden", Each, storm::nobody_is_hidden),
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
    ("what had a port before tracing", Once, history::before_tracing),
    ("release of a connection", Each, history::release_of_connection),
    ("--track-connects", Once, history::track_connects),
    ("memory while ports come and go", Once, history::memory),
    ("copies of a socket since the refusal", Each, copies::are_told_apart),
    ("owners: told late", Each, owners::are_told_late),
    ("owners: hammer, told", Each, owners::are_told_under_load),
    ("owners: hammer, walked", Once, owners::are_found_by_the_kernel),
    ("owners: many copies", Once, owners::are_told_with_many_copies),
    ("explain: real programs", Once, logs::explain),
    ("compare: real recordings", Once, logs::compare),
    ("cause fixes work", Once, fixes::work),
    ("who: a family and every state", Once, who::family),
    ("who: a crowd", Once, who::crowd),
    ("who: another namespace, TIME_WAIT, nobody", Once, who::elsewhere),
    ("who: without root", Once, who::without_root),
    ("who: sockets with a name", Once, who::named),
    ("check: rule, trial and reality", Once, check::table),
    ("check: warnings and privileges", Once, check::warnings),
    ("wait: both ways", Once, wait::both_ways),
    ("wait: timeouts", Once, wait::timeouts),
    ("free: who ignores SIGTERM", Once, free::stubborn),
    ("free: a family, and not its client", Once, free::family),
    ("free: TIME_WAIT and clients", Once, free::left_alone),
    ("free: a pid that is used again", Once, free::recycled_pid),
    ("free: what starts it", Once, free::ancestor),
    ("free: nobody to say yes", Once, free::unconfirmed),
    ("free: socket files", Once, free::socket_files),
    ("report: memory", Once, reports::memory),
    ("report: damaged recordings", Once, reports::damage),
    ("report: page in a browser", Once, browser::page),
    ("run: flaky suite", Once, flaky::is_explained_and_cured),
    ("run: CI systems", Once, ci::forms),
    ("run: page of a step", Once, ci::step_summary),
    ("run: agent of Buildkite", Once, ci::agent),
    ("run: action for GitHub", Once, action::github),
    ("run: job for GitLab", Once, action::gitlab),
    ("-q", Once, status::quiet),
    ("-v", Once, status::verbose),
    ("-vv", Once, status::debug_lines),
    ("filter -p", Once, filters::by_pid),
    ("filter -P", Each, filters::by_port),
    ("filter --comm", Once, filters::by_comm),
    ("filter --proto", Once, filters::by_protocol),
    ("filter --netns", Once, filters::by_netns),
    ("filter -e", Once, filters::by_error),
    ("run: exit statuses", Once, run::exit_statuses),
    ("run: without tracing", Once, run::without_tracing),
    ("run: nothing is lost", Once, run::nothing_is_lost),
    ("run: nothing is lost in a terminal", Once, run::nothing_is_lost_in_a_terminal),
    ("run: signals", Once, run::signals),
    ("run: Ctrl-C", Once, run::interrupted),
    ("run: daemons", Each, run::daemons),
    ("run: swallowed refusals", Each, run::swallowed),
    ("run: bystanders", Each, run::bystanders),
    ("run: leaks", Each, run::leaks),
    ("run: as another user", Once, run::as_user),
    ("run: sudo", Once, run::sudo),
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
