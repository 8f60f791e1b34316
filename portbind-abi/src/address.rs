//! Internet addresses.

/// An internet address: 16 bytes in network order, as four words of memory; IPv4 as `::ffff:a.b.c.d`.
pub type Address = [u32; 4];

/// The address at which a tracer is refused a port on purpose, to prove that it sees refusals (127.112.98.1, which nothing
/// else uses). The kernel half counts refusals of this address ([`PROOFS`](super::counter::PROOFS)), and reports none.
pub const PROOF_V4: [u8; 4] = [127, 112, 98, 1];
/// The same, as it stands in records.
pub const PROOF_ADDRESS: Address = [0, 0, 0xffff_u32.to_be(), u32::from_ne_bytes(PROOF_V4)];
