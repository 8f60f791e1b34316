//! Gives up every right that a purpose does not need.

use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::thread::CapabilitySet;

use super::capabilities::{self, Kept, kept};
use super::filter;
use super::purpose::Purpose;
use crate::host::kernel_version::generation;
use crate::host::privileges::Privileges;
use crate::host::procfs::Procfs;

/// The longest wait for a joined thread to leave the list of tasks.
const LEAVING: Duration = Duration::from_secs(1);

/// The rights that remain to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// The remaining capabilities.
    pub capabilities: Vec<&'static str>,
    /// The reason why system calls are not filtered, if they are not.
    pub unfiltered: Option<String>,
}

/// Gives up every right that a purpose does not need. The filter applies to all threads. Capabilities are kept per
/// thread: a thread that already runs must have given up its own before.
///
/// # Errors
/// If the kernel refuses a step, or another thread has capabilities that this thread has given up. A kernel without
/// filters of system calls is no error.
pub fn confine(purpose: Purpose) -> io::Result<Confinement> {
    let kept = Privileges::read().to_keep(purpose);
    let allowed = kept.iter().fold(CapabilitySet::empty(), |set, kept| set | kept.capability);
    let left = capabilities::lower(allowed)?;
    rustix::thread::set_no_new_privs(true)?;
    await_other_threads(&Procfs::new(), left)?;
    let unfiltered = filter::apply(purpose).err().map(|error| error.to_string());
    let names = kept.iter().filter(|kept| left.contains(kept.capability)).map(|kept| kept.name);
    Ok(Confinement { capabilities: names.collect(), unfiltered })
}

impl Privileges {
    /// The capabilities that are kept for a purpose, if this process has them.
    fn to_keep(&self, purpose: Purpose) -> Vec<Kept> {
        kept(purpose, generation(), self.unprivileged_bpf_disabled)
    }

    /// Names of the capabilities that remain to a process like this one once it is confined.
    #[must_use]
    pub fn kept(&self, purpose: Purpose) -> Vec<&'static str> {
        let held = CapabilitySet::from_bits_retain(self.effective);
        let kept = self.to_keep(purpose).into_iter().filter(|kept| held.contains(kept.capability));
        kept.map(|kept| kept.name).collect()
    }
}

/// Waits for threads that have more capabilities than `left`: a joined thread may stay in the list of tasks for a
/// moment.
fn await_other_threads(procfs: &Procfs, left: CapabilitySet) -> io::Result<()> {
    let deadline = Instant::now() + LEAVING;
    while let Some(tid) = capabilities::thread_with_more(procfs, left) {
        if Instant::now() >= deadline {
            return Err(io::Error::other(format!("thread {tid} keeps its capabilities")));
        }
        thread::yield_now();
    }
    Ok(())
}
