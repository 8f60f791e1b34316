//! Code that needs `unsafe`: promises about descriptors and mappings that no crate can make for this program.

pub mod bpf;
pub mod code;
pub mod file_bytes;
pub mod inherited;
pub mod iterator;
pub mod namespace;
pub mod poll;
pub mod ring;
pub mod signals;
pub mod stack;
pub mod stop;
pub mod tasks;
pub mod tracing;
