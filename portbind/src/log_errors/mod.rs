//! Finds the log lines that report "address already in use", in the wordings of many programs.
//!
//! [`Finder`] reads a log line by line, and returns each error with its wording ([`Wording`]), and with the address,
//! port, path, process and time that the line and its neighbours contain. A table has the wordings of known programs; a
//! grammar (`grammar/`) reads the words of others. What portbind itself printed, and what the log quotes, is passed
//! over. A log is not trusted: lines may have any length and contain any bytes.

mod addresses;
mod candidates;
mod clean;
#[cfg(test)]
mod corpus_tests;
mod finder;
mod grammar;
mod join;
mod joiner;
mod lines;
mod log_error;
mod matcher;
mod own;
mod prefix;
mod quotes;
#[cfg(test)]
mod tests;
mod time;
mod wording;
mod wordings;

pub use finder::Finder;
pub use join::{Join, Match, Reason};
pub use joiner::Joiner;
pub use lines::{Lines, MAX_LINE};
pub use log_error::{Complaint, MAX_TEXT, Target};
pub use time::Clock;
pub use wording::{Role, TRANSLATIONS, WINDOWS, Wording};
pub use wordings::all as wordings;
