//! One file a target.

pub(crate) mod arguments;
pub(crate) mod btf;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod recording;
pub(crate) mod records;
pub(crate) mod runtime;
pub(crate) mod text;
