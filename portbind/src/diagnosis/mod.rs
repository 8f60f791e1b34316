//! From evidence to a diagnosis. Pure: it reads no files, clock or network, only its arguments, so a recorded refusal
//! gets the same diagnosis on any machine.

pub mod aftermath;
pub mod by_cause;
pub mod cause;
pub mod clients;
pub mod comparison;
mod diagnose;
pub mod facts;
pub mod fingerprint;
pub mod freeing;
pub mod history;
mod kinship;
pub mod manager;
pub mod other_errors;
pub mod other_families;
pub mod predict;
pub mod program;
mod relation;
pub mod remedy;
pub mod rule;
pub mod stop_signal;
pub mod unix;

pub use diagnose::{Call, Diagnosis, diagnose};
