//! TCP: listeners by the listen hash first, then the bind bucket of the port.
//!
//! Sockets are inserted at the head of a chain, so the accepted connections of a busy server precede its listener in
//! the bucket: a bounded walk of the bucket alone would miss the one socket that matters.

use portbind_abi::layout::ABSENT;
use portbind_abi::{Address, walk as flag};

use super::bucket::is_connected_only;
use super::found::{add_flag, met, on_port};
use crate::kernel::globals::at;
use crate::kernel::memory::Ptr;
use crate::kernel::volatile::{get, increment, opaque, set};
use crate::kernel::{Step, repeat};
use crate::scratch::shape::Scratch;
use crate::sock::address::{differ, is_any, only_v6, specific};
use crate::sock::asked::Asked;
use crate::sock::bits::nonzero;
use crate::sock::numbers::IPPROTO_MPTCP;

/// Maximum number of steps along one chain of the listen hash.
const MAX_LISTEN_STEPS: u32 = 16;
/// Maximum number of steps along one chain of bind buckets.
const MAX_BUCKET_STEPS: u32 = 24;
/// Maximum number of steps along the sockets of one port.
const MAX_OWNER_STEPS: u32 = 64;
/// Maximum number of sockets on one local address before the walk goes on to the next address (newer kernels).
const MAX_OWNERS_EACH: u32 = 24;
/// Marks the end of a nulls list (include/linux/list_nulls.h).
const NULLS_MARK: u64 = 1;

/// The values that every step of a search needs.
struct Search<'a> {
    asked: &'a Asked,
    net: Ptr,
    mix: u32,
    tables: Ptr,
}

/// Searches the listen hash and the bind bucket of the requested port; returns the VRF of the bucket.
#[inline(always)]
pub(super) fn walk(asked: &Asked, to: &mut Scratch) -> u32 {
    let net = asked.sock.net();
    let tables = tables(asked, net);
    if tables.is_null() {
        add_flag(to, flag::NOT_WALKED);
        return 0;
    }
    let search = Search { asked, net, mix: net.read(at!(net_hash_mix)), tables };
    let mut busiest = Ptr(0).read::<Address>(0);
    listeners(&search, &[0; 4], to);
    if !is_any(&asked.address) {
        listeners(&search, &asked.address, to);
    }
    let vrf = bucket(&search, &mut busiest, to);
    // A listener on any address can refuse a wildcard bind. If the walk was cut short but met connections of the
    // listener, use their address.
    if get(&to.refusal.flags) & flag::TRUNCATED != 0 && is_any(&asked.address) && !is_any(&busiest) {
        listeners(&search, &busiest, to);
    }
    vrf
}

/// `struct inet_hashinfo`: in the protocol, or in the namespace if the protocol has none (6.1 and later). The subflows
/// of an MPTCP socket are in the TCP tables.
#[inline(always)]
fn tables(asked: &Asked, net: Ptr) -> Ptr {
    let own = asked.sock.table();
    if at!(net_tcp_hashinfo) == ABSENT {
        return own;
    }
    let of_net = net.follow(at!(net_tcp_hashinfo));
    let is_own = nonzero(own.0) & nonzero(u64::from(asked.protocol ^ IPPROTO_MPTCP));
    Ptr(own.0.wrapping_mul(is_own) | of_net.0.wrapping_mul(is_own ^ 1))
}

/// Searches the listeners on one local address; `::` and `0.0.0.0` share a chain.
#[inline(always)]
fn listeners(search: &Search<'_>, address: &Address, to: &mut Scratch) {
    let hash = hash_address(address, search.mix) ^ u32::from(search.asked.port);
    let index = hash & search.tables.read::<u32>(at!(hashinfo_lhash2_mask));
    let chains = search.tables.follow(at!(hashinfo_lhash2));
    let chain = Ptr(chains.0.wrapping_add(u64::from(index) * u64::from(at!(listen_hashbucket_size))));
    let is_older = at!(listen_portaddr_node) != ABSENT;
    let node_offset = if is_older { at!(listen_portaddr_node) } else { at!(sock_nulls_node) };
    let node = chain.follow(at!(listen_hashbucket_head));
    let mut chain = Listeners { search, node_offset, to, node };
    repeat(MAX_LISTEN_STEPS, &mut chain);
    if !chain.has_ended() {
        set(&mut chain.to.walk.has_all_listeners, 0);
    }
}

/// The rest of a chain of the listen hash.
struct Listeners<'a> {
    search: &'a Search<'a>,
    node_offset: u32,
    to: &'a mut Scratch,
    node: Ptr,
}

impl Listeners<'_> {
    #[inline(always)]
    fn has_ended(&self) -> bool {
        self.node.is_null() || self.node.0 & NULLS_MARK != 0
    }
}

impl Step for Listeners<'_> {
    #[inline(always)]
    fn step(&mut self) -> bool {
        if self.has_ended() {
            return false;
        }
        let Search { asked, net, .. } = *self.search;
        if let Some(found) = on_port(self.node, self.node_offset, asked, net, &mut self.to.walk)
            && opaque(found.is_listener) != 0
        {
            met(&found, asked, self.to);
        }
        self.node = self.node.follow(0);
        true
    }
}

/// `ipv4_portaddr_hash` and `ipv6_portaddr_hash` without the port (include/net/ip.h, include/net/ipv6.h).
#[inline(always)]
fn hash_address(address: &Address, mix: u32) -> u32 {
    // The last word of a wildcard is zero, as in the kernel.
    let v4 = jhash_words(address[3], 0, 0, mix.wrapping_add(JHASH_INITVAL + 4));
    let start = mix.wrapping_add(JHASH_INITVAL + 16);
    let (a, b, c) = jhash_mix(
        start.wrapping_add(address[0]),
        start.wrapping_add(address[1]),
        start.wrapping_add(address[2]),
    );
    let v6 = jhash_final(a.wrapping_add(address[3]), b, c);
    let is_v6 = only_v6(address) as u32;
    v6.wrapping_mul(is_v6) | v4.wrapping_mul(is_v6 ^ 1)
}

/// `JHASH_INITVAL` (include/linux/jhash.h).
const JHASH_INITVAL: u32 = 0xdead_beef;

#[inline(always)]
const fn jhash_words(a: u32, b: u32, c: u32, start: u32) -> u32 {
    jhash_final(start.wrapping_add(a), start.wrapping_add(b), start.wrapping_add(c))
}

#[inline(always)]
const fn jhash_mix(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    a = a.wrapping_sub(c) ^ c.rotate_left(4);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(6);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(8);
    b = b.wrapping_add(a);
    a = a.wrapping_sub(c) ^ c.rotate_left(16);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(19);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(4);
    b = b.wrapping_add(a);
    (a, b, c)
}

#[inline(always)]
const fn jhash_final(mut a: u32, mut b: u32, mut c: u32) -> u32 {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

/// Walks the sockets of every bind bucket of the port; stores one of their addresses in `busiest`.
#[inline(always)]
fn bucket(search: &Search<'_>, busiest: &mut Address, to: &mut Scratch) -> u32 {
    let size = search.tables.read::<u32>(at!(hashinfo_bhash_size));
    let index = u32::from(search.asked.port).wrapping_add(search.mix) & size.wrapping_sub(1);
    let chains = search.tables.follow(at!(hashinfo_bhash));
    let chain = Ptr(chains.0.wrapping_add(u64::from(index) * u64::from(at!(bind_hashbucket_size))));
    let mut buckets = Buckets {
        search,
        // A VRF has its own bucket. The refused socket does not show whether it is in that VRF, so for a socket bound
        // to an interface all buckets are searched, and each holder is marked with its VRF.
        any_vrf: search.asked.sock.interface() != 0,
        node: chain.follow(at!(bind_hashbucket_chain)),
        found: Ptr(0),
        vrf: 0,
    };
    repeat(MAX_BUCKET_STEPS, &mut buckets);
    let Buckets { node, found, vrf, .. } = buckets;
    if !node.is_null() && found.is_null() {
        add_flag(to, flag::TRUNCATED);
    }
    if !found.is_null() {
        if is_connected_only(found) {
            add_flag(to, flag::CONNECTED_ONLY);
        }
        owners(search, found, busiest, to);
    }
    vrf
}

/// The rest of a chain of bind buckets, and the bucket of the requested port.
struct Buckets<'a> {
    search: &'a Search<'a>,
    any_vrf: bool,
    node: Ptr,
    found: Ptr,
    vrf: u32,
}

impl Step for Buckets<'_> {
    #[inline(always)]
    fn step(&mut self) -> bool {
        if self.node.is_null() {
            return false;
        }
        let bucket = Ptr(self.node.0.wrapping_sub(u64::from(at!(bucket_node))));
        let vrf = bucket.read::<u32>(at!(bucket_l3mdev));
        let is_ours = bucket.read::<u16>(at!(bucket_port)) == self.search.asked.port
            && bucket.follow(at!(bucket_net)) == self.search.net;
        if is_ours && (vrf == 0 || self.any_vrf) {
            self.found = bucket;
            self.vrf = vrf;
            if vrf == 0 {
                return false;
            }
        }
        self.node = self.node.follow(0);
        true
    }
}

/// Walks the sockets of one bind bucket: a list of sockets (up to 6.7), or a list of lists by local address (from 6.8).
/// One flat loop, because nested loops multiply the verifier's work.
#[inline(always)]
fn owners(search: &Search<'_>, bucket: Ptr, busiest: &mut Address, to: &mut Scratch) {
    let by_address = at!(bucket_bhash2) != ABSENT;
    let list = if by_address { bucket.follow(at!(bucket_bhash2)) } else { Ptr(0) };
    let node = if by_address { first_of(list) } else { bucket.follow(at!(bucket_owners)) };
    set(&mut to.walk.steps, 0);
    let mut owners = Owners { search, busiest, to, list, node };
    repeat(MAX_OWNER_STEPS, &mut owners);
    // The last step may have reached the last socket.
    if !owners.node.is_null() || !owners.list.follow(0).is_null() {
        add_flag(owners.to, flag::TRUNCATED);
    }
}

/// The rest of the sockets of a bind bucket: of this list, and of the lists after it.
struct Owners<'a> {
    search: &'a Search<'a>,
    busiest: &'a mut Address,
    to: &'a mut Scratch,
    list: Ptr,
    node: Ptr,
}

impl Step for Owners<'_> {
    #[inline(always)]
    fn step(&mut self) -> bool {
        let by_address = at!(bucket_bhash2) != ABSENT;
        if self.node.is_null() || (by_address && increment(&mut self.to.walk.steps) > MAX_OWNERS_EACH) {
            if !self.node.is_null() {
                add_flag(self.to, flag::TRUNCATED);
            }
            if !self.list.is_null() {
                self.list = self.list.follow(0);
            }
            self.node = first_of(self.list);
            set(&mut self.to.walk.steps, 0);
            return !self.list.is_null();
        }
        owner(self.search, self.node, self.busiest, self.to);
        self.node = self.node.follow(0);
        true
    }
}

/// First socket of the newer bucket whose list node is at `list`.
#[inline(always)]
fn first_of(list: Ptr) -> Ptr {
    if list.is_null() {
        return list;
    }
    Ptr(list.0.wrapping_sub(u64::from(at!(bucket2_node)))).follow(at!(bucket2_owners))
}

#[inline(always)]
fn owner(search: &Search<'_>, node: Ptr, busiest: &mut Address, to: &mut Scratch) {
    let Some(found) = on_port(node, at!(sock_bind_node), search.asked, search.net, &mut to.walk) else {
        return;
    };
    // The search of the listen hash has already found the listeners on these addresses, if its chains were short
    // enough.
    let is_looked_up = 1 ^ specific(&found.address) | 1 ^ differ(&found.address, &search.asked.address);
    if opaque(found.is_listener & is_looked_up & u64::from(get(&to.walk.has_all_listeners))) != 0 {
        return;
    }
    *busiest = found.address;
    met(&found, search.asked, to);
}
