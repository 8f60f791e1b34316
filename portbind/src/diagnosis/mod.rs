//! From evidence to a diagnosis. Pure: no files, no clock, no network; all it knows is in its
//! arguments, so that a recorded refusal is diagnosed the same on any machine.

pub mod aftermath;
pub mod cause;
pub mod comparison;
mod diagnose;
pub mod elsewhere;
pub mod facts;
pub mod fingerprint;
pub mod foresight;
pub mod freeing;
pub mod history;
pub mod other;
pub mod program;
pub mod remedy;
pub mod rule;
pub mod tally;
pub mod unix;

pub use diagnose::{Call, Diagnosis, diagnose};
