//! Questions about ports that need no tracing: which processes own a port, whether a bind would succeed, when a port
//! becomes free, and how to free it.
//!
//! ```no_run
//! use portbind::ports::{Inspector, PortOrName, who};
//!
//! # fn main() -> Result<(), portbind::ports::Error> {
//! let inspector = Inspector::new()?;
//! for socket in who(&inspector, &PortOrName::Port(8080), None)?.holders {
//!     for owner in &socket.processes {
//!         println!("{} has pid {}", owner.process.comm, owner.process.pid);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod bind;
mod check;
mod error;
mod free;
mod inspector;
mod request;
mod wait;
mod who;

pub use crate::diagnosis::freeing::binder::Sign;
pub use crate::diagnosis::freeing::{Obstacle, Plan, Target};
pub use crate::diagnosis::manager::Manager;
pub use crate::diagnosis::unix::Object;
pub use crate::host::Links;
pub use crate::host::port_sockets::Unseen;

pub use bind::Bind;
pub use check::{Check, check};
pub use error::Error;
pub use free::{Consent, FreeOptions, Freed, Outcome, Stage, Stopped, free};
pub(crate) use free::{REMOVE, RemoveArgs, remove};
pub use inspector::Inspector;
pub use request::{PortOrName, Request};
pub use wait::{Until, Wait, wait};
pub use who::{Who, who};
