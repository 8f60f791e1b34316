//! What portbind gives up once tracing is armed: capabilities, new privileges, and most system calls.
//!
//! Landlock is not used here: any Landlock domain refuses ptrace access to processes outside of the domain, even to
//! root (`hook_ptrace_access_check`, security/landlock/ptrace.c), and thereby `/proc/PID/exe` and the descriptors of
//! other processes.

mod capabilities;
mod confine;
mod fence;
mod filter;
mod intrusion;
mod purpose;

pub use capabilities::{Kept, empty_bounding_set, kept};
pub use confine::{Confinement, confine};
pub use fence::fence;
pub use filter::is_available as has_filter;
pub use intrusion::{Errand, confine_helper};
pub use purpose::Purpose;
