//! Opens, creates and replaces files with only the rights of the caller.
//!
//! portbind runs as root, but the paths come from a sudo caller, and a checkout may contain symbolic links. So the main
//! process never opens a file for writing by its path. It starts a helper ([`serve`]) that first gives up all rights
//! that the caller lacks, and then opens files on request; the descriptor is returned by `SCM_RIGHTS`. A thread with
//! the caller's ids would not be safe: it shares its memory with root, and the caller may signal it.
//!
//! If the caller is root itself, no symbolic link is followed that another user could have created ([`walk`]).

mod agent;
mod caller;
mod client;
mod message;
pub(crate) mod notes;
pub(crate) mod outlet;
mod place;
#[cfg(test)]
mod place_tests;
mod received;
pub(crate) mod refused;
mod replacement;
mod room;
pub(crate) mod serve;
pub(crate) mod stderr;
mod walk;

pub(crate) use caller::{Caller, sudo_uid};
pub(crate) use client::{Annotated, Writer};
pub(crate) use message::VERB;
pub(crate) use replacement::Replacement;
pub(crate) use room::is_full;
