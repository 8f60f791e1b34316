//! Taking a scratch area, and sending the refusal assembled in it.

use super::shape::{Place, Scratch};
#[cfg(feature = "bounded")]
use crate::kernel::atomic::add;
use crate::kernel::ring::send;
use crate::kernel::values::InPlace;
#[cfg(feature = "bounded")]
use crate::kernel::volatile::get;
use crate::kernel::volatile::set;
use crate::maps::SCRATCH;

impl Scratch {
    /// Takes the scratch area of a program; `None` if an interrupted run of the program is using it.
    #[inline(always)]
    pub(crate) fn take(place: Place) -> Option<&'static mut Self> {
        let scratch = SCRATCH.value(&(place as u32))?;
        #[cfg(feature = "bounded")]
        {
            add(&mut scratch.users, 1);
            if get(&scratch.users) != 1 {
                scratch.give_back();
                return None;
            }
        }
        set(&mut scratch.refusal.holders, 0);
        set(&mut scratch.refusal.bystanders, 0);
        set(&mut scratch.refusal.flags, 0);
        set(&mut scratch.refusal.vrf, 0);
        set(&mut scratch.walk.met, 0);
        set(&mut scratch.walk.steps, 0);
        set(&mut scratch.walk.has_all_listeners, 1);
        Some(scratch)
    }

    /// Sends the refusal and its holders; `false` if there is no room for the whole record.
    #[inline(always)]
    pub(crate) fn send(&mut self) -> bool {
        let is_sent = send(self, self.refusal.bytes());
        #[cfg(feature = "bounded")]
        self.give_back();
        is_sent
    }

    #[cfg(feature = "bounded")]
    #[inline(always)]
    fn give_back(&mut self) {
        add(&mut self.users, u64::MAX);
    }
}
