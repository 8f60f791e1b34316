//! Error numbers and their names.

/// A positive Linux error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Errno(pub u32);

impl Errno {
    /// "Address already in use".
    pub const EADDRINUSE: Self = Self(98);
    /// "Resource temporarily unavailable": returned if autobind finds no free port.
    pub const EAGAIN: Self = Self(11);

    /// Its symbolic name, if it is an error that bind(2) and listen(2) are known to return.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(number, _)| *number == self.0).map(|(_, name)| *name)
    }

    /// The number of a symbolic name, in upper or lower case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(number, _)| Self(*number))
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

/// Errors of bind and listen, with the numbers of asm-generic/errno.h (KERNEL: net/socket.c, net/ipv4/af_inet.c,
/// net/ipv6/af_inet6.c, net/unix/af_unix.c, security hooks; v6.18).
const NAMES: &[(u32, &str)] = &[
    (1, "EPERM"),
    (2, "ENOENT"),
    (9, "EBADF"),
    (11, "EAGAIN"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (14, "EFAULT"),
    (19, "ENODEV"),
    (20, "ENOTDIR"),
    (22, "EINVAL"),
    (28, "ENOSPC"),
    (30, "EROFS"),
    (36, "ENAMETOOLONG"),
    (40, "ELOOP"),
    (88, "ENOTSOCK"),
    (93, "EPROTONOSUPPORT"),
    (95, "EOPNOTSUPP"),
    (97, "EAFNOSUPPORT"),
    (98, "EADDRINUSE"),
    (99, "EADDRNOTAVAIL"),
    (105, "ENOBUFS"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_inverse() {
        for &(number, name) in NAMES {
            assert_eq!(Errno(number).name(), Some(name));
            assert_eq!(Errno::from_name(&name.to_lowercase()), Some(Errno(number)));
        }
        assert_eq!(Errno(4095).to_string(), "errno 4095");
        assert_eq!(Errno::from_name("ENOSUCHERROR"), None);
    }
}
