//! End-to-end tests: real processes bind real sockets, and `portbind trace` must report every refusal exactly once,
//! with its errno and its holder.
//!
//! Scenarios are data ([`scenario`]), performed by helper processes ([`actor`]) and compared with portbind's output
//! ([`verify`]). Other tests are in [`checks`]. [`rule`] tests that the bind rule of the diagnosis matches the kernel.
#![expect(clippy::print_stdout, reason = "a test runner reports on its standard output")]

pub mod actor;
pub mod actors;
pub mod bench;
pub mod checks;
pub mod churn;
pub mod event;
pub mod field;
pub mod flaky;
pub mod guide;
pub mod play;
pub mod ports;
pub mod programs;
pub mod recording;
pub mod report;
pub mod rule;
pub mod runner;
pub mod scenario;
pub mod scratch;
pub mod soak;
pub mod storms;
pub mod surroundings;
pub mod sys;
pub mod tracer;
pub mod transcript;
pub mod verify;
pub mod wrapped_command;
