//! A helper process with the rights that portbind gives up once tracing is armed. The broker enters network namespaces,
//! resolves a path below the root of another process, and checks whether a socket file is in use.
//!
//! Questions and answers have fixed sizes, and each question comes with one descriptor. An answer is a descriptor or
//! one of three words: no bytes of a file, and nothing of variable length. An invalid question is answered with EINVAL.

mod client;
mod question;
mod resolve;
mod server;
#[cfg(test)]
mod tests;

pub use client::Broker;
pub use question::{Liveness, PathQuestion, Question, Setting, SocketKind};
pub use resolve::Resolve;
pub use server::serve;
