//! A command that portbind runs: as whom, held back until it is followed, waited for, and what it leaves bound.

mod child;
mod error;
mod html;
mod identity;
pub(crate) mod launch;
mod launcher;
pub(crate) mod leaks;
mod page;

pub(crate) use child::Child;
pub(crate) use error::Error;
pub(crate) use html::Html;
pub(crate) use identity::Identity;
pub(crate) use launcher::Launcher;
pub(crate) use page::Destination;
