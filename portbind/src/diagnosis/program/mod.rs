//! Which program a process runs, including scripts run by an interpreter.

mod executable;
mod runs;

pub use executable::{file_name, is_installed, is_interpreter, name, never_binds, script};
pub use runs::{OF_MULTIPROCESSING, runs, runs_of, titled_tool, with_pid};
