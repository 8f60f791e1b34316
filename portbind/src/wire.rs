//! The JSON lines: what scripts may rely on.
//!
//! These types are separate from the ones in [`crate::event`], so that the event types can change without changing the
//! output. They are both written and read: a recording is read back exactly as it was written. Fields may be added; no
//! field is renamed, removed or given another meaning within a version of [`SCHEMA`]. An unknown fact is `null`.

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
pub use refusal::{Cause, Error, Fix, Moment, OnBehalf, Refusal, Relation, SCHEMA};
pub use run::{Cache, LostBy, Release, Repeat, Summary};
pub use schema::json_schema;
pub use socket::{Backlog, Holder, Interface, Netlink, Options, Peer, Socket, Vsock};
pub use time::Time;
