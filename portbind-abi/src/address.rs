//! Internet addresses.

/// An internet address: 16 bytes in network order, as four words of memory; IPv4 addresses as `::ffff:a.b.c.d`.
pub type Address = [u32; 4];

/// The tracer's test address, 127.112.98.1, which nothing else uses: the tracer is refused a port there on purpose, to
/// prove that it sees refusals. The kernel half counts refusals of this address ([`PROOFS`](super::counter::PROOFS))
/// and reports none.
pub const PROOF_V4: [u8; 4] = [127, 112, 98, 1];
/// [`PROOF_V4`] in the form that records use.
pub const PROOF_ADDRESS: Address = [0, 0, 0xffff_u32.to_be(), u32::from_ne_bytes(PROOF_V4)];
