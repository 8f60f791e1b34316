//! A reader of BTF, the kernel's description of its own types.
//!
//! [`Btf::parse`] walks the types once and keeps four bytes per type; names are compared only for queries, many structs
//! at a time through [`Btf::structs`]. It never panics on damaged input. Format: `include/uapi/linux/btf.h`,
//! `Documentation/bpf/btf.rst`.

mod data;
mod error;
mod members;
mod names;
mod reader;
#[cfg(test)]
mod tests;
mod types;

pub use data::Btf;
pub use error::BtfError;
pub use members::{Member, Structs};
pub use types::{Kind, RawMember, Type};
