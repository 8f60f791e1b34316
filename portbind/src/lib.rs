//! portbind says who holds the port when a program fails with "Address already in use".
//!
//! Data flows one way: [`kernel`] turns bytes of the ring buffer into evidence, [`host`] turns
//! sockets and pids into processes and people, [`diagnosis`] turns evidence into a cause, and
//! [`output`] prints it, [`recording`] reads it back. [`cli`] wires them, one file a verb.

pub mod cli;
pub mod complaint;
pub mod diagnosis;
pub mod escape;
pub mod event;
pub mod host;
pub mod kernel;
pub mod output;
pub mod recording;
pub mod report;
pub mod secrets;
pub mod session;
pub mod sys;
pub mod wire;
