//! UDP: every bound socket is in the slot of its port, whatever its address (net/ipv4/udp.c).

use portbind_abi::layout::ABSENT;
use portbind_abi::walk as flag;

use super::found::{add_flag, met, on_port};
use crate::kernel::globals::at;
use crate::kernel::memory::Ptr;
use crate::kernel::{Step, repeat};
use crate::scratch::shape::Scratch;
use crate::sock::asked::Asked;

/// Maximum number of steps along one slot.
const MAX_STEPS: u32 = 96;

/// Searches the slot of the requested port. Returns 0: UDP has no VRF buckets.
#[inline(always)]
pub(super) fn walk(asked: &Asked, to: &mut Scratch) -> u32 {
    let net = asked.sock.net();
    let table = table(asked, net);
    if table.is_null() {
        add_flag(to, flag::NOT_WALKED);
        return 0;
    }
    let mask = table.read::<u32>(at!(udp_table_mask));
    let slot = u32::from(asked.port).wrapping_add(net.read::<u32>(at!(net_hash_mix))) & mask;
    let slots = table.follow(at!(udp_table_hash));
    let head = Ptr(slots.0.wrapping_add(u64::from(slot) * u64::from(at!(udp_slot_size))));
    let mut slot = Slot { asked, net, to, node: head.follow(at!(udp_slot_head)) };
    repeat(MAX_STEPS, &mut slot);
    if !slot.node.is_null() {
        add_flag(slot.to, flag::TRUNCATED);
    }
    0
}

/// The rest of a slot.
struct Slot<'a> {
    asked: &'a Asked,
    net: Ptr,
    to: &'a mut Scratch,
    node: Ptr,
}

impl Step for Slot<'_> {
    #[inline(always)]
    fn step(&mut self) -> bool {
        if self.node.is_null() {
            return false;
        }
        if let Some(found) = on_port(self.node, at!(sock_node), self.asked, self.net, &mut self.to.walk) {
            met(&found, self.asked, self.to);
        }
        self.node = self.node.follow(0);
        true
    }
}

/// The UDP table: in the protocol on 5.10 and 6.1; later kernels may keep it in the namespace.
#[inline(always)]
fn table(asked: &Asked, net: Ptr) -> Ptr {
    let own = asked.sock.table();
    if !own.is_null() || at!(net_udp_table) == ABSENT {
        return own;
    }
    net.follow(at!(net_udp_table))
}
