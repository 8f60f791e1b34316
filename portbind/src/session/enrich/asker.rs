//! Who asked for a port.

use std::rc::Rc;

use crate::event::Process;

/// Who asked for a port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) process: &'a Rc<Process>,
    /// When that was refused, in nanoseconds since boot.
    pub(super) refused: u64,
}
