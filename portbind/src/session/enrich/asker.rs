//! The process that requested a port.

use std::rc::Rc;

use crate::event::Process;

/// The process that requested a port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) process: &'a Rc<Process>,
    /// Time of the refusal, in nanoseconds since boot.
    pub(super) refused: u64,
}
