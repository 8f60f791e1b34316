//! `portbind run`: the command is unaffected, and all of its refusals are recorded.

mod failures;
mod family;
mod stalled;
mod state;
mod status;
mod surroundings;
mod sweep;
mod totals;
mod users;
mod wrapped;

pub(super) use failures::{
    empty_environment, few_descriptors, killed, small_files, unwritable_recording, unwritable_stderr,
};
pub(super) use family::{bystanders, daemons, leaks, swallowed};
pub(super) use stalled::{stalled_page, stalled_recording};
pub(super) use state::{interrupted, nothing_is_lost, nothing_is_lost_in_a_terminal, signals};
pub(super) use status::{exit_statuses, without_tracing};
pub(super) use surroundings::{no_proc, small_stack};
pub(super) use sweep::every_call_fails_once;
pub(super) use totals::totals;
pub(super) use users::{as_user, replaced_sudo, sudo, variables_of_nobody};
pub(super) use wrapped::{Recording, wrapped};
