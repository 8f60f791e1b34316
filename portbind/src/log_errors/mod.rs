//! Complaints: lines of logs that say that an address is in use, in the words of whoever printed them.
//!
//! [`Finder`] takes a log line by line and gives what it found: whose wording it is ([`Wording`], a row of a
//! table), and the address, port, path, process and time that the line and its neighbours tell. A log is not
//! trusted: lines may be of any length and any bytes.

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
