//! The JSON line: what scripts may rely on.
//!
//! These types are apart from the ones in [`crate::event`], so that those can change
//! without changing the output. They are written and read: a recording comes back as it was written.
//! Fields may be added; none is renamed, removed or given another meaning within a version of
//! [`SCHEMA`]. A fact that is not known is `null`.

pub mod answer;
mod command;
pub mod comparison;
mod convert;
pub mod explanation;
mod mask;
mod people;
mod process;
mod refusal;
pub mod report;
mod run;
mod schema;
mod socket;
#[cfg(test)]
mod tests;
mod time;

pub use command::{Command, End, Leak, Outcome};
pub(crate) use convert::protocol;
pub use mask::Line;
pub use people::{CiJob, Container, Pod, Test};
pub use process::{HolderProcess, Opener, Process, Relative};
pub use refusal::{Cause, Error, Fix, Moment, Refusal, SCHEMA};
pub use run::{Cache, LostBy, Release, Repeat, Summary};
pub use schema::json_schema;
pub use socket::{Backlog, Holder, Interface, Netlink, Options, Peer, Socket, Vsock};
pub use time::Time;
