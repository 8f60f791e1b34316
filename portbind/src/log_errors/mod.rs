//! Finds the log lines that report "address already in use", in the wordings of many programs.
//!
//! [`Finder`] reads a log line by line, and returns each error with its wording ([`Wording`], a row of a table), and
//! with the address, port, path, process and time that the line and its neighbours contain. A log is not trusted: lines
//! may have any length and contain any bytes.

mod clean;
mod finder;
mod join;
mod lines;
mod log_error;
mod matcher;
mod prefix;
#[cfg(test)]
mod tests;
mod time;
mod wording;
mod wordings;

pub use finder::Finder;
pub use join::{Join, Joiner, Match, Reason};
pub use lines::{Lines, MAX_LINE};
pub use log_error::{Complaint, MAX_TEXT, Target};
pub use time::Clock;
pub use wording::{Role, TRANSLATIONS, WINDOWS, Wording};
pub use wordings::all as wordings;
