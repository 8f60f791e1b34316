//! Scratch memory in which a refusal is assembled before it is sent as a whole: with all its holders, or not at all.

pub(crate) mod shape;
mod work;
