//! Internet addresses, compared and selected without a branch.

use portbind_abi::Address;

use super::bits::nonzero;
use crate::kernel::volatile::opaque;

/// The third word of `::ffff:a.b.c.d`, in memory order.
const MAPPED_WORD: u32 = 0xffff_u32.to_be();

/// The IPv4-mapped form of an IPv4 address, as used in records.
pub(crate) const fn mapped(v4: u32) -> Address {
    [0, 0, MAPPED_WORD, v4]
}

/// `one` if `first` is 1, `other` if it is 0, without a branch.
#[inline(always)]
pub(crate) fn choose(first: u64, one: Address, other: Address) -> Address {
    // Products, not masks: from 6.18 the verifier splits a mask into two paths.
    let (first, second) = (first as u32, (first ^ 1) as u32);
    let word = |one: u32, other: u32| one.wrapping_mul(first) | other.wrapping_mul(second);
    [word(one[0], other[0]), word(one[1], other[1]), word(one[2], other[2]), word(one[3], other[3])]
}

/// Whether an address is the wildcard address of either family, or `::ffff:0.0.0.0`.
#[inline(always)]
pub(crate) fn is_any(address: &Address) -> bool {
    opaque(specific(address)) == 0
}

/// 1 if two addresses differ.
#[inline(always)]
pub(crate) fn differ(one: &Address, other: &Address) -> u64 {
    let bits = (one[0] ^ other[0]) | (one[1] ^ other[1]) | (one[2] ^ other[2]) | (one[3] ^ other[3]);
    nonzero(u64::from(bits))
}

/// 1 for an IPv6 address that is neither the wildcard address nor IPv4-mapped.
#[inline(always)]
pub(crate) fn only_v6(address: &Address) -> u64 {
    let no_v4 = nonzero(u64::from(address[0] | address[1])) | nonzero(u64::from(address[2] ^ MAPPED_WORD));
    no_v4 & specific(address)
}

/// 1 for a specific address, 0 for a wildcard address.
#[inline(always)]
pub(crate) fn specific(address: &Address) -> u64 {
    let rest = u64::from(address[0] | address[1] | address[3]);
    let third = nonzero(u64::from(address[2])) & nonzero(u64::from(address[2] ^ MAPPED_WORD));
    nonzero(rest) | third
}
