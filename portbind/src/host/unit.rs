//! Which systemd unit a process belongs to, from the path of its cgroup.

use super::container;
use crate::event::units::Unit;

/// The unit. Inside a container, the unit of the container's own systemd, if it has one; below a user's systemd, the
/// unit of that systemd.
pub(super) fn unit(cgroup: &str) -> Option<String> {
    let inside = container::place(cgroup).and_then(|place| Unit::of_cgroup(place.inside));
    inside.or_else(|| Unit::of_cgroup(cgroup)).map(|unit| unit.name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_unit() {
        let id = "0123456789abcdef".repeat(4);
        let docker = format!("docker-{id}.scope");
        assert_eq!(unit("/system.slice/nginx.service").as_deref(), Some("nginx.service"));
        assert_eq!(unit(&format!("/system.slice/{docker}")), Some(docker.clone()));
        let inside = format!("/system.slice/{docker}/system.slice/web.service");
        assert_eq!(unit(&inside).as_deref(), Some("web.service"));
    }
}
