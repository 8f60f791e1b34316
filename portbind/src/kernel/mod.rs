//! From the kernel to evidence: backends, layout, ring buffer, records.

pub mod alike;
pub mod assemble;
mod attach;
pub mod backend;
pub mod btf;
mod collection;
pub mod debug;
pub mod error;
pub mod evidence;
mod family;
pub mod layout;
mod load;
mod maps;
pub mod name;
pub mod object;
pub(crate) mod owner_source;
pub mod proof;
pub mod record;
pub mod sockets;
pub mod tracer;
