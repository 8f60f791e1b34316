//! Summarizes many refusals: by cause, by port, by pair of caller and holder, and with a timeline of each port's
//! holders.
//!
//! Lines are pushed one by one into a [`Collector`], from a recording or from a live run. Memory is bounded for any
//! number of lines, and what did not fit is counted. The module uses no files and no clock.

pub(crate) mod ci;
mod collect;
mod detail;
mod foreign;
pub mod picture;
mod place;
pub mod print;
mod ranked;
mod rows;
mod samples;
mod side;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;

pub use collect::Collector;
pub use detail::{Fix, Free, Group};
pub use foreign::Foreign;
pub use place::{Class, Place};
pub use ranked::{LeftOut, Ranked};
pub use rows::{CauseRow, FileNotes, PairRow, PortRow, Report, Totals};
pub use samples::{Leak, Run, Swallowed};
pub use side::{Party, Side};
pub use timeline::{Mark, Span, State, Timeline};
