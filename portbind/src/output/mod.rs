//! Prints events: for people (`text`), for columns (`brief`) and for programs (`jsonl`); and what verbs answer.
//!
//! Events go to the writer they are given, whole and flushed one by one. Strings that other
//! programs chose are escaped here, but for those that a sentence was made with ([`escape`](crate::escape)). An event is
//! printed as its line of JSON has it, whether it has just happened or was read from a recording.

#[doc(hidden)]
pub mod answer;
#[cfg(test)]
mod answer_tests;
mod brief;
pub mod color;
pub mod comparison;
mod explanation;
#[cfg(test)]
mod explanation_tests;
mod findings;
mod format;
mod formats;
#[cfg(test)]
mod imitation_tests;
pub(crate) mod jsonl;
pub(crate) mod line;
#[cfg(test)]
mod portless_tests;
mod printer;
#[cfg(test)]
mod recorded_tests;
pub mod recorder;
mod style;
#[cfg(test)]
mod tests;
#[doc(hidden)]
pub mod text;
pub(crate) mod words;
pub(crate) mod wrap;

pub use crate::secrets::Secrets;
pub use crate::wire::Summary;
pub use color::ColorChoice;
pub use format::{Document, EventFormat};
pub use formats::{Format, Verbs};
pub use printer::Printer;
pub use style::Style;
