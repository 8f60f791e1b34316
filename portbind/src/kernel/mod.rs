//! From the kernel to evidence: backends, layout, ring buffer, records.

pub mod assemble;
mod attach;
pub mod backend;
mod blind;
pub mod btf;
pub mod coalesce;
mod collection;
pub mod debug;
mod descendants;
pub mod error;
pub mod evidence;
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
