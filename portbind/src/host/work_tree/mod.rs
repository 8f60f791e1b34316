//! The branch of the git work tree in which a process runs.
//!
//! The files of a work tree belong to its user, who may replace them by links to files of others, by pipes, or by files
//! of a file system that does not answer. So a helper process reads them: without capabilities, with the user and group
//! of the process, below the root of the process, part by part, through no symbolic link, and for at most 50 ms.
//! The helper hands out nothing but the name of a branch, or the number of a commit.

mod client;
mod git;
mod head;
mod question;
mod server;
#[cfg(test)]
mod tests;

pub use client::WorkTrees;
pub use server::serve;

/// The name of the hidden subcommand.
pub(crate) const VERB: &str = "__work-tree";
