//! Recordings: files of JSON lines, read back line by line.
//!
//! A recording may contain several runs, one appended to the other, and may be damaged: its process was killed, the
//! disk was full, or other output is mixed in. A line that is not portbind's is skipped and reported ([`Skipped`]); it
//! is never an error. Only a failure to read the file is one.

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
