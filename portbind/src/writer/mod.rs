//! Files are opened, made and replaced with the rights of the caller, by a process that has no others.
//!
//! portbind is root, and the paths are not root's: a sudo caller names them, and a checkout may hold links. So the
//! main process opens no file for writing by its path. It starts a helper ([`serve`]) that first gives up what the
//! caller does not have, and then opens files on request; the descriptor comes back by `SCM_RIGHTS`. A thread with
//! the caller's ids would not do: it shares its memory with root, and the caller may signal it.
//!
//! Where the caller is root itself, no link is followed that somebody else could have made ([`walk`]).

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
pub(crate) mod serve;
pub(crate) mod stderr;
mod walk;

pub(crate) use caller::{Caller, sudo_uid};
pub(crate) use client::{Annotated, Writer};
pub(crate) use message::VERB;
pub(crate) use replacement::Replacement;
