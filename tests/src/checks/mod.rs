//! Checks beyond the scenarios: the counts under load, the life of the process, its command line, and hostile names.

mod action;
mod ask;
mod attach;
mod blind;
mod browser;
mod check;
mod ci;
mod closed;
mod commands;
mod confined;
mod containers;
mod copies;
mod corpus;
mod field;
mod files;
mod filters;
mod fixes;
mod flaky;
mod free;
mod gone;
mod handed;
mod helpers;
mod history;
mod lifecycle;
mod logs;
mod masters;
mod names;
mod owners;
mod people;
mod proof;
mod reports;
mod run;
mod secrets;
mod setting;
mod stale_files;
mod status;
mod storm;
mod supervisors;
mod support;
mod surroundings;
mod units;
mod unix;
mod wait;
mod who;

pub use setting::Setting;
pub(crate) use support::SOON;

use crate::report::Report;

/// One check.
type Check = fn(Setting<'_>) -> anyhow::Result<()>;

/// For which backends a check runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Often {
    /// For one backend: the check does not depend on it.
    Once,
    /// For the first backend, and not with `--quick`: the check depends on the backend, but takes long.
    Long,
    /// For each backend.
    Each,
}

use Often::{Each, Long, Once};

/// All checks, by name.
const CHECKS: &[(&str, Often, Check)] = &[
    ("storm", Long, storm::account_is_exact),
    ("storm: repeats are counted", Long, storm::repeats_are_counted),
    ("storm: nobody is hidden", Long, storm::nobody_is_hidden),
    ("storm: nobody is blinded", Once, blind::nobody_is_blinded),
    ("storm: nobody is blinded by who waits", Long, blind::nobody_is_blinded_by_who_waits),
    ("storm: nobody is blinded by users", Once, blind::nobody_is_blinded_by_users),
    ("blocked output", Once, blind::blocked_output),
    ("blocked debug lines", Once, blind::blocked_debug_lines),
    ("second signal", Once, blind::second_signal),
    ("memory while processes come and go", Once, blind::memory),
    ("callers that have ended", Once, gone::causes_are_the_same),
    ("storm: bursts are counted", Long, storm::bursts_are_counted),
    ("storm: bursts at once", Long, storm::bursts_at_once),
    ("storm: bursts of many kinds", Once, storm::many_kinds),
    ("storm: nobody is crowded out", Once, storm::nobody_is_crowded_out),
    ("kill leaves nothing loaded", Each, lifecycle::kill_leaves_nothing),
    ("attach and detach", Long, attach::again_and_again),
    ("two at once", Long, lifecycle::two_at_once),
    ("start: a blind backend is not used", Once, proof::of_a_blind_backend),
    ("start: the proof is in no trace", Each, proof::seen_by_others),
    ("start: trials of portbind are named", Once, proof::portbind_is_shown_as_the_caller_of_its_trials),
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
    ("wrong words do not act", Once, names::wrong_words),
    ("secrets in arguments: trace", Once, secrets::in_traces),
    ("secrets in arguments: run", Once, secrets::in_runs),
    ("tests and secrets in the environment", Once, people::environment),
    ("container of caller and holder", Once, people::container),
    ("name of the network namespace", Once, people::namespace_name),
    ("transient holders", Long, history::transient_holders),
    ("release of a refused port", Long, history::release),
    ("what had a port before tracing", Once, history::before_tracing),
    ("release of a connection", Each, history::release_of_connection),
    ("--track-connects", Once, history::track_connects),
    ("memory while ports come and go", Once, history::memory),
    ("copies of a socket since the refusal", Each, copies::are_distinct),
    ("owners: shown late", Each, owners::are_shown_late),
    ("owners: hammer, shown", Once, owners::are_shown_under_load),
    ("owners: hammer, walked", Once, owners::are_walked_by_the_kernel),
    ("owners: many copies", Once, owners::are_shown_with_many_copies),
    ("field: corpus", Once, corpus::rows),
    ("field: situations", Once, field::situations),
    ("field: inherited before tracing began", Once, field::inherited),
    ("field: branches", Once, field::branches),
    ("field: an earlier run", Once, field::earlier_run),
    ("explain: real programs", Once, logs::explain),
    ("compare: real recordings", Once, logs::compare),
    ("cause fixes work", Once, fixes::work),
    ("containers: docker", Once, containers::around),
    ("containers: clients of dockerd", Once, containers::clients),
    ("containers: podman", Once, containers::host_network),
    ("supervisors: supervisord", Once, supervisors::supervisord),
    ("who: a family and every state", Once, who::family),
    ("who: a crowd", Once, who::crowd),
    ("who: another namespace, TIME_WAIT, nobody", Once, who::elsewhere),
    ("who: without root", Once, who::without_root),
    ("who: without CAP_SYS_PTRACE", Once, who::without_ptrace),
    ("who: sockets with a name", Once, who::sockets_with_names),
    ("files: what the caller of sudo is not shown", Once, closed::paths),
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
    ("free: masters and workers", Once, masters::masters),
    ("free: servers of data", Once, masters::servers_of_data),
    ("free: a socket in flight", Once, masters::in_flight),
    ("free: who was handed the socket", Once, handed::to_others),
    ("free: who bound it cannot be decided", Once, handed::undecided),
    ("free: siblings that are no tree", Once, handed::siblings),
    ("free: who was moved since", Once, handed::moved),
    ("free: connections that were handed on", Once, handed::connections),
    ("free: sole trees", Once, handed::sole_trees),
    ("free: dnsmasq", Once, handed::real_daemon),
    ("free: owners of socket files", Once, stale_files::owners),
    ("free: killed between two steps", Once, stale_files::killed),
    ("free: a name that is taken", Once, stale_files::taken),
    ("free: socket files that are replaced", Once, stale_files::replaced),
    ("free: a unit that its user made up", Once, units::made_up),
    ("report: memory", Once, reports::memory),
    ("report: damaged recordings", Once, reports::damage),
    ("report: page in a browser", Once, browser::page),
    ("run: flaky suite", Once, flaky::is_explained_and_cured),
    ("run: CI systems", Once, ci::forms),
    ("run: page of a step", Once, ci::step_summary),
    ("run: agent of Buildkite", Once, ci::agent),
    ("run: action for GitHub", Once, action::github),
    ("run: job for GitLab", Once, action::gitlab),
    ("files: links", Once, files::links),
    ("files: owner and mode", Once, files::owner_and_mode),
    ("files: what is replaced stays until the end", Once, files::replaced_at_the_end),
    ("files: a link in a loop", Once, files::race),
    ("files: the report's own errors", Once, files::errors_come_first),
    ("files: the helper is killed", Once, files::killed_helper),
    ("files: the page of a step", Once, files::step_summary),
    ("-q", Once, status::quiet),
    ("-v", Once, status::verbose),
    ("-vv", Once, status::debug_lines),
    ("filter -p", Once, filters::by_pid),
    ("filter -P", Each, filters::by_port),
    ("filter --comm", Once, filters::by_comm),
    ("filter --proto", Once, filters::by_protocol),
    ("filter --netns", Once, filters::by_netns),
    ("filter -e", Once, filters::by_error),
    ("account: trials of portbind", Each, filters::own_trials),
    ("after arming: trace keeps little", Each, confined::trace_keeps_little),
    ("after arming: run keeps little", Once, confined::run_keeps_little),
    ("after arming: helpers inherit nothing", Once, helpers::inherit_nothing),
    ("after arming: the recorder ends", Once, helpers::recorder_ends),
    ("after arming: each capability is needed", Once, confined::each_is_needed),
    ("after arming: without the broker", Once, confined::without_broker),
    ("run: exit statuses", Once, run::exit_statuses),
    ("run: without tracing", Once, run::without_tracing),
    ("run: nothing is lost", Once, run::nothing_is_lost),
    ("run: nothing is lost in a terminal", Once, run::nothing_is_lost_in_a_terminal),
    ("run: signals", Once, run::signals),
    ("run: Ctrl-C", Once, run::interrupted),
    ("run: daemons", Each, run::daemons),
    ("run: swallowed refusals", Long, run::swallowed),
    ("run: bystanders", Each, run::bystanders),
    ("run: leaks", Each, run::leaks),
    ("run: totals after a burst", Once, run::totals),
    ("run: recording that nobody reads", Once, run::stalled_recording),
    ("run: page that nobody reads", Once, run::stalled_page),
    ("run: as another user", Once, run::as_user),
    ("run: sudo", Once, run::sudo),
    ("run: sudo that becomes portbind", Once, run::replaced_sudo),
    ("run: SUDO_UID of who is not root", Once, run::variables_of_nobody),
    ("run: environment of helper processes", Once, run::empty_environment),
    ("run: recording that cannot be written", Once, run::unwritable_recording),
    ("run: standard error that cannot be written", Once, run::unwritable_stderr),
    ("run: killed before the command runs", Once, run::killed),
    ("run: every system call fails once", Once, run::every_call_fails_once),
    ("surroundings of the tests", Once, surroundings::are_the_same),
    ("few descriptors", Once, run::few_descriptors),
    ("small files", Once, run::small_files),
    ("small stack", Once, run::small_stack),
    ("no process table", Once, run::no_proc),
    ("unix: --proto", Once, unix::by_protocol),
    ("unix: -P", Once, unix::by_port),
    ("unix: other family", Once, unix::other_family),
];

/// Names of all checks.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(name, ..)| *name)
}

/// Selects the checks to run.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Include only checks whose names contain this.
    pub filter: &'a str,
    /// Include checks that run for one backend only.
    pub once: bool,
    /// Include long checks.
    pub long: bool,
}

impl Choice<'_> {
    fn has(self, name: &str, often: Often) -> bool {
        let is_due = match often {
            Once => self.once,
            Long => self.long,
            Each => true,
        };
        is_due && name.contains(self.filter)
    }
}

/// Runs the selected checks.
pub fn run(setting: Setting<'_>, choice: Choice<'_>, report: &mut Report) {
    for (name, _, check) in CHECKS.iter().filter(|(name, often, _)| choice.has(name, *often)) {
        let name = format!("{}: {name}", setting.backend);
        let complaints = check(setting).err().map(|error| format!("{error:#}"));
        report.note(&name, complaints.as_slice());
        for (what, reason) in setting.skipped.take() {
            report.skip(&format!("{name}: {what}"), &reason);
        }
    }
}
