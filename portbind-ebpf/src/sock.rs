//! A kernel socket through accessors: version differences and torn reads end here.

pub(crate) mod address;
pub(crate) mod asked;
pub(crate) mod bits;
pub(crate) mod common;
mod endpoint;
pub(crate) mod handle;
pub(crate) mod numbers;
