//! Differences between kernel versions.

/// A kernel version, as far as the rule depends on it. Distributions backport changes: the limits below are upstream's,
/// checked on the kernels of docs/kernels.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation {
    major: u32,
    minor: u32,
}

impl Generation {
    /// The newest version on which the rule was checked.
    pub const NEWEST: Self = Self::new(7, 3);

    /// Linux `major.minor`.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Parses a release as uname(2) returns it, `6.12.107+deb13-cloud-amd64`; `None` if it does not start with two
    /// numbers.
    #[must_use]
    pub fn of_release(release: &str) -> Option<Self> {
        let (major, rest) = release.split_once('.')?;
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        Some(Self::new(major.parse().ok()?, rest[..end].parse().ok()?))
    }

    /// A socket that no process has open counts as root's: `sock_i_uid` reads the user from its inode (up to 6.15).
    /// Later kernels compare `sk_uid`, which outlives the inode and is inherited by connections (6.17, and 6.16 since
    /// 6.16.6; include/net/sock.h).
    pub(super) fn detached_belong_to_root(self) -> bool {
        self < Self::new(6, 16)
    }

    /// For a specific address, TCP searches only two lists: the wildcard's and the address's own
    /// (`inet_use_bhash2_on_bind`, 6.1 and later).
    pub(super) fn compares_addresses(self) -> bool {
        self >= Self::new(6, 1)
    }

    /// A wildcard list that a socket on `::ffff:0.0.0.0` created is not found for mapped addresses
    /// (`inet_bind2_bucket_match_addr_any`, 6.1 to 6.7).
    pub(super) fn misses_mapped_wildcard(self) -> bool {
        self >= Self::new(6, 1) && self < Self::new(6, 8)
    }

    /// The first socket of a bind bucket sets the bucket's memory (`inet_csk_update_fastreuse`, up to 6.7). Later
    /// kernels add the socket to the bucket before they check whether the bucket is empty.
    pub(super) fn remembers_first(self) -> bool {
        self < Self::new(6, 8)
    }

    /// A socket may rejoin a group that counts closed sockets (`reuseport_cb_ok`, 5.14 and later).
    pub(super) fn rejoins_closed_groups(self) -> bool {
        self >= Self::new(5, 14)
    }
}
