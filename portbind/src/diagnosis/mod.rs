//! From evidence to a diagnosis. Pure: no files, no clock, no network; all it knows is in its
//! arguments, so that a recorded refusal is diagnosed the same on any machine.

pub mod aftermath;
pub mod cause;
pub mod elsewhere;
pub mod errno;
pub mod event;
pub mod facts;
pub mod history;
pub mod other;
pub mod remedy;
pub mod rule;
pub mod unix;
