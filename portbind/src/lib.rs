//! portbind shows which process holds the port when a program fails with "Address already in use".
//!
//! [`session`] traces and returns [`event`]s; [`output`] prints them, and [`wire`] defines the lines of JSON.
//! [`recording`] reads these lines back, [`report`] summarizes them, and [`log_errors`] finds the refused binds that
//! logs mention.
//!
//! `examples/watch.rs` and `examples/who.rs` are complete programs. They need tokio with the features `rt`, `net` and
//! `time`, for `session`; [`ports`] needs no runtime.
//!
//! Names that other programs chose ([`event::Process::comm`], arguments, paths) are as the kernel has them: escape them
//! before a terminal shows them, for example with [`str::escape_debug`].
//!
//! `Timestamp`, `SignedDuration` and `TimeZone` are types of the crate jiff.
//!
//! Structs and enums are `#[non_exhaustive]`: fields and variants are added in minor releases.
//! [`Errno`](event::Errno) and [`Time`](wire::Time) are not, because each is one number and stays one. The modules
//! that the documentation does not show are public for portbind's own program, tests and fuzz targets only, and
//! change in any release.
//!
//! The library never prints, ends the process, installs a signal handler, or reads the arguments or gives up privileges
//! of the program that embeds it: the program `portbind` does all of this in the hidden module `cli`.
//!
//! ```no_run
//! # async fn watch() -> Result<(), portbind::session::Error> {
//! use portbind::session::{Event, Session};
//!
//! let mut session = Session::builder().ports([8080]).start()?;
//! while let Some(event) = session.next().await? {
//!     if let Event::Refusal(refusal) = event {
//!         println!("{} was refused: {}", refusal.process.comm, refusal.cause.summary);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod diagnosis;
#[doc(hidden)]
pub mod escape;
pub mod event;
#[doc(hidden)]
pub mod host;
#[doc(hidden)]
pub mod kernel;
pub mod log_errors;
mod order;
pub mod output;
mod pages;
pub mod ports;
pub mod recording;
pub mod report;
#[doc(hidden)]
pub mod secrets;
pub mod session;
#[doc(hidden)]
pub mod sys;
pub mod wire;
mod wrapped;
mod writer;
