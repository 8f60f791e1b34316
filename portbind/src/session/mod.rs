//! A run of tracing: reads refusals from the kernel, describes them and hands them out one by one.
//!
//! [`Session`] is for programs that embed portbind; the subcommands `trace` and `run` drive the engine below it
//! directly.

mod account;
mod bounded;
mod builder;
mod descriptors;
mod engine;
mod enrich;
pub mod error;
mod events;
mod filter;
mod names_seen;
mod netns_names;
mod overflow;
mod party;
mod port_facts_cache;
mod port_poll;
mod processes;
mod queue;
pub(crate) mod readiness;
mod recent;
mod repeats;
mod run;
mod showing;
mod sink;
mod startup_sockets;
mod stream;

pub use crate::kernel::backend::Backend;
pub use crate::kernel::btf::BtfError;
pub use crate::kernel::error::{AttachError, TraceError};
pub use crate::kernel::layout::LayoutError;
pub use builder::Builder;
pub(crate) use builder::{HISTORY_LIMIT, LAST_WORDS};
pub(crate) use engine::Engine;
pub use error::Error;
pub use events::Events;
pub use filter::ProtocolFilter;
pub(crate) use filter::{add_error, comm as comm_filter};
pub(crate) use run::{Records, Settings, records};
pub(crate) use sink::{End, Sink};
pub use stream::{Event, Finished, Session};
