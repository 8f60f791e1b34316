//! The command that portbind runs: its user, its start under the trace, its end, and the sockets it leaves bound.

mod child;
pub(crate) mod daemons;
mod error;
mod html;
mod identity;
pub(crate) mod launch;
mod launcher;
pub(crate) mod leaks;
mod page;

pub(crate) use child::Child;
pub(crate) use daemons::Daemons;
pub(crate) use error::{CommandError, Error};
pub(crate) use html::Html;
pub(crate) use identity::Identity;
pub(crate) use launcher::Launcher;
pub(crate) use page::Destination;
