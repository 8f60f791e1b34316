//! A kernel socket, read through accessors that handle version differences and torn reads.

pub(crate) mod address;
pub(crate) mod asked;
pub(crate) mod bits;
pub(crate) mod common;
mod endpoint;
pub(crate) mod handle;
pub(crate) mod numbers;
