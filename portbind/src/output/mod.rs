//! Prints events as text (`text`), in columns (`brief`) and as JSON (`jsonl`), and prints the answers of verbs.
//!
//! Events are written whole and flushed one by one. Strings that other programs chose are escaped here, except in
//! sentences, which escaped their names when they were made (`escape`). An event is printed from its
//! JSON line, whether it has just happened or was read from a recording.

#[doc(hidden)]
pub mod answer;
#[cfg(test)]
mod answer_tests;
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
