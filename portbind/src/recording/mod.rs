//! Recordings: files of JSON lines, read back one line after the other.
//!
//! A recording may hold several runs, one appended to the other, and may be damaged: written by a process that
//! was killed, cut by a full disk, mixed with the output of others. What is not a line of ours is skipped and
//! told ([`Skipped`]); it is never an error. Only a failure of the file itself is one.

mod fingerprint;
mod line;
mod reader;
mod skipped;
#[cfg(test)]
mod tests;

pub use crate::diagnosis::fingerprint::Fingerprint;
pub use fingerprint::fingerprint;
pub use line::Line;
pub use reader::{Error, Input, MAX_LINE, Reader, STDIN, open};
pub use skipped::{Damage, Note, Skipped};
