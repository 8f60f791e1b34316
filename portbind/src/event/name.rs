//! Names of portless sockets.

/// The name of a portless socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Name {
    /// AF_UNIX: a path as the caller passed it; not empty, without NUL.
    Path(Vec<u8>),
    /// AF_UNIX: an abstract name, without the NUL that marks it; may hold any byte.
    Abstract(Vec<u8>),
    /// AF_UNIX: no name was given; the kernel chooses an abstract one.
    Unnamed,
    /// AF_NETLINK.
    Netlink {
        /// Port id (`nl_pid`), by convention a process id; 0 lets the kernel choose.
        port_id: u32,
        /// Multicast groups, one bit each.
        groups: u32,
    },
    /// AF_VSOCK.
    Vsock {
        /// Context id of a machine; `u32::MAX` means any (VMADDR_CID_ANY, include/uapi/linux/vm_sockets.h).
        cid: u32,
        /// Port; `u32::MAX` lets the kernel choose.
        port: u32,
    },
    /// Another family, or a sockaddr too short for its own: the bytes after the family, as the caller passed them.
    Raw(Vec<u8>),
}

impl Name {
    /// Parses `sun_path` (unix(7)): empty, a NUL and an abstract name of any bytes, or a path up to a NUL or the end.
    #[must_use]
    pub fn of_unix(path: &[u8]) -> Self {
        match path {
            [] => Self::Unnamed,
            [0, name @ ..] => Self::Abstract(name.to_vec()),
            path => Self::Path(path.iter().copied().take_while(|&byte| byte != 0).collect()),
        }
    }

    /// An AF_UNIX name as text: an abstract name begins with `@`, as ss(8) prints it; a path that begins with `@`
    /// itself gets a `./` in front, which names the same file. Bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        match self {
            Self::Path(path) if path.starts_with(b"@") => {
                Some(format!("./{}", String::from_utf8_lossy(path)))
            }
            Self::Path(path) => Some(String::from_utf8_lossy(path).into_owned()),
            Self::Abstract(name) => Some(format!("@{}", String::from_utf8_lossy(name))),
            Self::Unnamed | Self::Netlink { .. } | Self::Vsock { .. } | Self::Raw(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_abstract_names_never_read_the_same() {
        let cases = [
            (Name::Path(b"/run/app.sock".to_vec()), Some("/run/app.sock")),
            (Name::Path(b"@app".to_vec()), Some("./@app")),
            (Name::Abstract(b"app".to_vec()), Some("@app")),
            (Name::Abstract(b"\0a\xff".to_vec()), Some("@\0a\u{fffd}")),
            (Name::Abstract(vec![]), Some("@")),
            (Name::Unnamed, None),
            (Name::Raw(b"/run".to_vec()), None),
        ];
        for (name, path) in cases {
            assert_eq!(name.path().as_deref(), path, "{name:?}");
        }
    }
}
