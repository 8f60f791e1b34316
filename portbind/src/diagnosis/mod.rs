//! From evidence to a diagnosis. Pure: no files, no clock, no network; all it knows is in its
//! arguments, so that a recorded refusal is diagnosed the same on any machine.

pub mod aftermath;
pub mod by_cause;
pub mod cause;
pub mod comparison;
mod diagnose;
pub mod facts;
pub mod fingerprint;
pub mod freeing;
pub mod history;
pub mod other_errors;
pub mod other_families;
pub mod predict;
pub mod program;
pub mod remedy;
pub mod rule;
pub mod unix;

pub use diagnose::{Call, Diagnosis, diagnose};
