//! From the kernel to evidence: backends, layout, ring buffer, records.

pub mod assemble;
pub mod backend;
pub mod btf;
pub mod debug;
pub mod evidence;
pub mod layout;
pub mod name;
pub mod object;
pub mod record;
pub mod ring;
pub mod sockets;
pub mod tracer;
