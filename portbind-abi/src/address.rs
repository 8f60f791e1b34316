//! Internet addresses.

/// An internet address: 16 bytes in network order, as four words of memory; IPv4 as `::ffff:a.b.c.d`.
pub type Address = [u32; 4];
