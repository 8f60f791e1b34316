//! The binary interface between the two halves: fixed-size records, the layout of the running kernel, and the filters.
//! The kernel half (`portbind-ebpf`) writes the records, the user half (`portbind`) reads them.
//!
//! Records hold only integers and arrays, padding is explicit, and sizes are asserted, because two compilers must agree
//! on every byte. All integers are in the machine's byte order; ports are in host order; for addresses see [`Address`].
//!
//! One refusal is one record of variable length: a [`Refusal`] (the caller, its request, the error, and the result of
//! the search for holders), directly followed by [`Refusal::holders`] records of type [`Holder`]. A refusal with one
//! holder takes [`ONE_HOLDER_LEN`] bytes of the ring buffer.
//!
//! Refusals are mixed with port events ([`Bound`], [`Change`]), in the order in which they happened. A [`Refusal`], a
//! [`Portless`] or a [`Bound`] is preceded by the [`Introduction`] of its process, unless the process was introduced
//! within the last [`WINDOW`]. The refusal of a portless socket (AF_UNIX, netlink, vsock, ...) is one record: a
//! [`Portless`].
#![no_std]

macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident = $size:literal { $($body:tt)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "zerocopy", derive(FromBytes, IntoBytes, Immutable, KnownLayout))]
        pub struct $name { $($body)* }
        const _: () = assert!(size_of::<$name>() == $size && $size % 8 == 0);
    };
}

mod address;
mod caller;
mod coalesce;
pub mod counter;
mod ended;
mod endpoint;

mod filter;
mod header;
mod history;
pub mod holder;
mod identity;
pub mod kind;
pub mod layout;
mod open_socket;
pub mod operation;
pub mod option;
mod party;
mod portless;
mod refusal;
mod ring;
mod socket;
pub mod walk;

pub use address::{Address, PROOF_ADDRESS, PROOF_V4};
pub use caller::{ARGS_LEN, Caller, EXE_NAME_LEN, EXE_NAMES, MAX_PARENTS, Parent};
pub use coalesce::{Count, MAX_COUNTS, MAX_QUOTAS, Quota, RefusalKey, Sample, WINDOW};
pub use ended::Ended;
pub use endpoint::Endpoint;
pub use filter::{ERROR_WORDS, Filter, PORT_WORDS, life, protocol};
pub use header::Header;
pub use history::{Bound, Change, Introduction, MAX_INTRODUCED, change};
pub use identity::{COMM_LEN, Identity};
pub use open_socket::{Inodes, OpenSocket};
pub use party::{CROWD, MAX_KINDS, MAX_PARTIES, PARTY_LEVEL, Party, PartyQuota, SOCKETS};
pub use portless::{FileView, NAME_LEN, Portless};
pub use refusal::{Holder, MAX_HOLDERS, ONE_HOLDER_LEN, OWN_DESCRIPTORS, OWN_SOCKETS, Refusal};
pub use ring::{RING_BYTES, RING_HEADER_LEN};
pub use socket::Socket;
