//! What rows need: programs of Debian, modules of PyPI and npm. The latter are below target/field, as are packages of
//! Debian that would change the machine, which are unpacked only.

use std::fs;
use std::path::Path;

use crate::programs::PATH;

/// A package that `cargo xtask field --install` installs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    /// `debian`, `unpacked`, `pip` or `npm`.
    pub(crate) registry: &'static str,
    /// The name there.
    pub(crate) name: String,
}

/// Programs whose Debian package has another name.
const DEBIAN: &[(&str, &str)] = &[
    ("apache2", "apache2-bin"),
    ("avahi-daemon", "avahi-daemon"),
    ("chronyd", "chrony"),
    ("dhcpd", "isc-dhcp-server"),
    ("dnsmasq", "dnsmasq-base"),
    ("erl", "erlang-base"),
    ("go", "golang-go"),
    ("java", "default-jdk-headless"),
    ("javac", "default-jdk-headless"),
    ("named", "bind9"),
    ("nc", "netcat-openbsd"),
    ("node", "nodejs"),
    ("perl", "perl-base"),
    ("postgres", "postgresql-15"),
    ("ss", "iproute2"),
    ("sshd", "openssh-server"),
    ("ssh", "openssh-client"),
    ("supervisord", "supervisor"),
    ("systemd-socket-activate", "systemd"),
];

/// Whether a need is met: a path, a program of the search path, `unpacked:PACKAGE`, `pip:MODULE` or `npm:PACKAGE`.
pub(crate) fn is_there(need: &str, installed: &Path) -> bool {
    match need.split_once(':') {
        Some(("pip", module)) => has_module(module, installed),
        Some(("unpacked", package)) => installed.join("unpacked").join(package).exists(),
        Some(("npm", package)) => installed.join("node_modules").join(package).exists(),
        _ if need.starts_with('/') => Path::new(need).exists(),
        _ => PATH.split(':').any(|folder| Path::new(folder).join(need).exists()),
    }
}

fn has_module(module: &str, installed: &Path) -> bool {
    let name = format!("{}-", module.replace('-', "_")).to_lowercase();
    let Ok(versions) = fs::read_dir(installed.join("venv/lib")) else { return false };
    versions.flatten().any(|version| {
        let packages = fs::read_dir(version.path().join("site-packages")).into_iter().flatten().flatten();
        packages
            .map(|entry| entry.file_name().to_string_lossy().replace('-', "_").to_lowercase())
            .any(|entry| entry.starts_with(&name.replace('-', "_")) && entry.ends_with(".dist_info"))
    })
}

/// The package that has what is needed; `None` for a path.
pub(crate) fn package_of(need: &str) -> Option<Package> {
    match need.split_once(':') {
        Some(("pip", name)) => Some(Package { registry: "pip", name: name.to_owned() }),
        Some(("npm", name)) => Some(Package { registry: "npm", name: name.to_owned() }),
        Some(("unpacked", name)) => Some(Package { registry: "unpacked", name: name.to_owned() }),
        _ if need.starts_with('/') => None,
        _ => {
            let known = DEBIAN.iter().find(|(program, _)| *program == need);
            let name = known.map_or(need, |(_, package)| package);
            Some(Package { registry: "debian", name: name.to_owned() })
        }
    }
}
