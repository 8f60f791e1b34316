//! portbind says who holds the port when a program fails with "Address already in use".
//!
//! Data flows one way: [`kernel`] turns bytes of the ring buffer into evidence, [`host`] turns
//! sockets and pids into processes and people, [`diagnosis`] turns evidence into a cause, and
//! [`output`] prints it, [`recording`] reads it back. [`session`] drives all of that for a program that embeds
//! portbind, and [`cli`] wires it to the command line, one file a verb.
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

pub mod cli;
pub mod diagnosis;
pub mod escape;
pub mod event;
pub mod host;
pub mod kernel;
pub mod log_errors;
pub mod output;
mod pages;
pub mod ports;
pub mod recording;
pub mod report;
pub mod secrets;
pub mod session;
pub mod sys;
pub mod wire;
mod wrapped;
mod writer;
