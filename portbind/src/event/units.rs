//! Names of systemd units and their users.

use std::fmt;

/// Kinds of units (systemd.unit(5)).
const KINDS: [&str; 11] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];
/// Maximum length of a name in bytes (UNIT_NAME_MAX in systemd, src/basic/unit-name.h).
const LONGEST: usize = 255;

/// A valid name of a unit (`unit_name_is_valid` in systemd, src/basic/unit-name.c): letters, digits and `:-_.\`, an `@`
/// before the instance, and the kind. It does not begin with a hyphen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitName<'a>(&'a str);

impl<'a> UnitName<'a> {
    /// Checks a name; `None` if it is not valid, or names a template, which cannot be stopped.
    #[must_use]
    pub fn parse(name: &'a str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || br":-_.\@".contains(&byte);
        let stem = KINDS.iter().find_map(|kind| name.strip_suffix(kind))?;
        let is_name = !stem.is_empty() && !stem.starts_with(['-', '@']) && !stem.ends_with('@');
        (is_name && name.len() <= LONGEST && name.bytes().all(is_allowed)).then_some(Self(name))
    }

    /// The name.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

impl fmt::Display for UnitName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The unit that a cgroup belongs to, by the cgroup's path.
///
/// Only slices may precede a system unit, because only systemd creates cgroups there. Cgroups below a unit are created
/// by the user that the unit was delegated to and prove nothing about the system: a folder `ssh.service` below
/// `user@1000.service` is at most a unit of user 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unit<'a> {
    /// Its name, unchecked: see [`UnitName`].
    pub name: &'a str,
    /// The user whose own service manager runs it; `None` for a system unit.
    pub user: Option<u32>,
}

/// Kinds of units that contain processes; slices only group other units.
const WITH_PROCESSES: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];

impl<'a> Unit<'a> {
    /// The unit of a cgroup; `None` if systemd would not create such a path.
    #[must_use]
    pub fn of_cgroup(path: &'a str) -> Option<Self> {
        let (outer, inside) = first(path)?;
        let Some(user) = manager_of(outer) else { return Some(Self { name: outer, user: None }) };
        let own = first(inside).map(|(name, _)| Self { name, user: Some(user) });
        Some(own.unwrap_or(Self { name: outer, user: None }))
    }
}

/// Whether a unit runs a service, which its service manager starts and stops.
#[must_use]
pub fn is_service(unit: &str) -> bool {
    unit.ends_with(".service") && !unit.starts_with("user@")
}

/// The user whose own service manager (`user@UID.service`) is above a cgroup.
#[must_use]
pub fn user_of_cgroup(path: &str) -> Option<u32> {
    first(path).and_then(|(outer, _)| manager_of(outer))
}

/// The first unit after the slices, and the path below it.
fn first(path: &str) -> Option<(&str, &str)> {
    let mut rest = path.strip_prefix('/').unwrap_or(path);
    loop {
        let (part, below) = rest.split_once('/').unwrap_or((rest, ""));
        let name = unescaped(part);
        if WITH_PROCESSES.iter().any(|kind| name.strip_suffix(kind).is_some_and(|stem| !stem.is_empty())) {
            return Some((name, below));
        }
        if !name.ends_with(".slice") {
            return None;
        }
        rest = below;
    }
}

/// The name without the underscore that separates it from kernel files (cg_escape in systemd, src/basic/cgroup-util.c).
fn unescaped(part: &str) -> &str {
    part.strip_prefix('_').unwrap_or(part)
}

/// The user of `user@UID.service`.
fn manager_of(unit: &str) -> Option<u32> {
    unit.strip_prefix("user@")?.strip_suffix(".service")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_cgroups() {
        let own = "/user.slice/user-1000.slice/user@1000.service";
        for (path, expected) in [
            ("/system.slice/nginx.service".to_owned(), Some(("nginx.service", None))),
            (
                "/system.slice/system-getty.slice/getty@tty1.service".to_owned(),
                Some(("getty@tty1.service", None)),
            ),
            (
                r"/system.slice/system-serial\x2dgetty.slice/a\x2db@x\x2dy.service".to_owned(),
                Some((r"a\x2db@x\x2dy.service", None)),
            ),
            ("/system.slice/docker.service/sub/other.service".to_owned(), Some(("docker.service", None))),
            ("/user.slice/user-1000.slice/session-3.scope".to_owned(), Some(("session-3.scope", None))),
            (format!("{own}/app.slice/foo.service/x"), Some(("foo.service", Some(1000)))),
            (format!("{own}/app.slice/ssh.service"), Some(("ssh.service", Some(1000)))),
            (format!("{own}/init.scope"), Some(("init.scope", Some(1000)))),
            (own.to_owned(), Some(("user@1000.service", None))),
            (format!("{own}/made/ssh.service"), Some(("user@1000.service", None))),
            ("/system.slice/x.service/user@0.service/ssh.service".to_owned(), Some(("x.service", None))),
            ("/system.slice/user@evil.service/ssh.service".to_owned(), Some(("user@evil.service", None))),
            ("/made/ssh.service".to_owned(), None),
            ("/system.slice/_cpu.service".to_owned(), Some(("cpu.service", None))),
            ("/init.scope".to_owned(), Some(("init.scope", None))),
            ("/system.slice".to_owned(), None),
            ("/".to_owned(), None),
            (String::new(), None),
            ("/.service".to_owned(), None),
        ] {
            let found = Unit::of_cgroup(&path).map(|unit| (unit.name, unit.user));
            assert_eq!(found, expected, "{path}");
            if let Some((_, Some(user))) = expected {
                assert_eq!(user_of_cgroup(&path), Some(user), "{path}");
            }
        }
        assert_eq!(user_of_cgroup("/system.slice/x.service/user@0.service/ssh.service"), None);
    }

    #[test]
    fn only_names_that_systemd_allows() {
        let longest = format!("{}.service", "a".repeat(247));
        let too_long = format!("a{longest}");
        for (name, is_one) in [
            ("nginx.service", true),
            ("getty@tty1.service", true),
            (r"serial\x2dgetty@a-b.service", true),
            ("dbus-:1.2-org.x@0.service", true),
            ("web.socket", true),
            (&longest, true),
            (&too_long, false),
            ("", false),
            (".service", false),
            ("@.service", false),
            ("getty@.service", false),
            ("-.slice", false),
            ("--force.service", false),
            ("nginx", false),
            ("a b.service", false),
            ("a;b.service", false),
            ("wireplumber@$(touch PWNED-UNIT).service", false),
            ("a'b.service", false),
            ("a/b.service", false),
            ("gr\u{fc}n.service", false),
            ("a\n.service", false),
        ] {
            assert_eq!(UnitName::parse(name).is_some(), is_one, "{name}");
        }
    }
}
