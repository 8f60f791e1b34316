//! Which systemd unit a process belongs to, from the path of its cgroup.

use super::container;

/// Kinds of units that have processes (systemd.unit(5)); slices only group others.
const KINDS: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];

/// The unit: inside a container the one of its own systemd, if it has any, and below a user's systemd
/// the one of that.
pub(super) fn unit(cgroup: &str) -> Option<String> {
    let inside = container::place(cgroup).and_then(|place| first(place.inside));
    inside.or_else(|| first(cgroup)).map(str::to_owned)
}

fn first(path: &str) -> Option<&str> {
    let mut units = path.split('/').map(unescaped).filter(|part| is_unit(part));
    let outer = units.next()?;
    let is_users = outer.starts_with("user@") && outer.ends_with(".service");
    Some(if is_users { units.next().unwrap_or(outer) } else { outer })
}

/// Without the underscore that keeps names apart from files of the kernel (cg_escape in systemd,
/// src/basic/cgroup-util.c).
fn unescaped(part: &str) -> &str {
    part.strip_prefix('_').unwrap_or(part)
}

fn is_unit(part: &str) -> bool {
    KINDS.iter().any(|kind| part.strip_suffix(kind).is_some_and(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_unit() {
        let id = "0123456789abcdef".repeat(4);
        let docker = format!("docker-{id}.scope");
        let cases = [
            ("/system.slice/nginx.service", Some("nginx.service")),
            ("/system.slice/system-getty.slice/getty@tty1.service", Some("getty@tty1.service")),
            (
                r"/system.slice/system-serial\x2dgetty.slice/a\x2db@x\x2dy.service",
                Some(r"a\x2db@x\x2dy.service"),
            ),
            ("/system.slice/docker.service/sub/other.service", Some("docker.service")),
            ("/user.slice/user-1000.slice/session-3.scope", Some("session-3.scope")),
            ("/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service/x", Some("foo.service")),
            ("/user.slice/user-1000.slice/user@1000.service/init.scope", Some("init.scope")),
            ("/user.slice/user-1000.slice/user@1000.service", Some("user@1000.service")),
            ("/system.slice/_cpu.service", Some("cpu.service")),
            ("/init.scope", Some("init.scope")),
            ("/system.slice", None),
            ("/", None),
            ("", None),
            ("/.service", None),
        ];
        for (path, expected) in cases {
            assert_eq!(unit(path).as_deref(), expected, "{path}");
        }
        assert_eq!(unit(&format!("/system.slice/{docker}")), Some(docker.clone()));
        let inside = format!("/system.slice/{docker}/system.slice/web.service");
        assert_eq!(unit(&inside).as_deref(), Some("web.service"));
    }
}
