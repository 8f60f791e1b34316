//! The programs that tests start: name, Debian package, path. `cargo xtask setup` reads this file, too.

/// A program of a Debian package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The name of the program.
    pub(crate) name: &'static str,
    /// The Debian package that contains the program.
    pub(crate) package: &'static str,
    /// The path of the file in the package: not a link of update-alternatives(1), which may lead to another program.
    pub(crate) path: &'static str,
}

pub(super) const fn program(name: &'static str, package: &'static str, path: &'static str) -> Program {
    Program { name, package, path }
}

pub(crate) const BASH: Program = program("bash", "bash", "/usr/bin/bash");
pub(crate) const CAT: Program = program("cat", "coreutils", "/usr/bin/cat");
pub(crate) const CHROMIUM: Program = program("chromium", "chromium", "/usr/bin/chromium");
pub(crate) const DNSMASQ: Program = program("dnsmasq", "dnsmasq-base", "/usr/sbin/dnsmasq");
pub(crate) const DOCKER: Program = program("docker", "docker.io", "/usr/bin/docker");
pub(crate) const DOCKERD: Program = program("dockerd", "docker.io", "/usr/sbin/dockerd");
pub(crate) const ENV: Program = program("env", "coreutils", "/usr/bin/env");
pub(crate) const NETCAT: Program = program("nc", "netcat-openbsd", "/usr/bin/nc.openbsd");
pub(crate) const NSENTER: Program = program("nsenter", "util-linux", "/usr/bin/nsenter");
pub(crate) const PERL: Program = program("perl", "perl-base", "/usr/bin/perl");
pub(crate) const PODMAN: Program = program("podman", "podman", "/usr/bin/podman");
pub(crate) const PYTHON: Program = program("python3", "python3-minimal", "/usr/bin/python3");
pub(crate) const RUNC: Program = program("runc", "runc", "/usr/sbin/runc");
pub(crate) const SETPRIV: Program = program("setpriv", "util-linux", "/usr/bin/setpriv");
pub(crate) const SH: Program = program("sh", "dash", "/usr/bin/sh");
pub(crate) const SOCAT: Program = program("socat", "socat", "/usr/bin/socat");
pub(crate) const STRACE: Program = program("strace", "strace", "/usr/bin/strace");
pub(crate) const SU: Program = program("su", "util-linux", "/usr/bin/su");
pub(crate) const SUDO: Program = program("sudo", "sudo", "/usr/bin/sudo");
pub(crate) const SUPERVISORCTL: Program = program("supervisorctl", "supervisor", "/usr/bin/supervisorctl");
pub(crate) const SUPERVISORD: Program = program("supervisord", "supervisor", "/usr/bin/supervisord");
pub(crate) const TAR: Program = program("tar", "tar", "/usr/bin/tar");
pub(crate) const TIMEOUT: Program = program("timeout", "coreutils", "/usr/bin/timeout");
pub(crate) const TRUE: Program = program("true", "coreutils", "/usr/bin/true");
pub(crate) const UNSHARE: Program = program("unshare", "util-linux", "/usr/bin/unshare");

/// The programs that setup installs and checks; the last ones are for scripts.
pub(crate) const INSTALLED: [Program; 43] = [
    BASH,
    CAT,
    CHROMIUM,
    DNSMASQ,
    DOCKER,
    DOCKERD,
    ENV,
    NETCAT,
    NSENTER,
    PERL,
    PODMAN,
    PYTHON,
    RUNC,
    SETPRIV,
    SH,
    SOCAT,
    STRACE,
    SU,
    SUDO,
    SUPERVISORCTL,
    SUPERVISORD,
    TAR,
    TIMEOUT,
    TRUE,
    UNSHARE,
    program("chmod", "coreutils", "/usr/bin/chmod"),
    program("chown", "coreutils", "/usr/bin/chown"),
    program("cp", "coreutils", "/usr/bin/cp"),
    program("gcc", "gcc", "/usr/bin/gcc"),
    program("haproxy", "haproxy", "/usr/sbin/haproxy"),
    program("id", "coreutils", "/usr/bin/id"),
    program("ip", "iproute2", "/usr/bin/ip"),
    program("mkdir", "coreutils", "/usr/bin/mkdir"),
    program("mount", "mount", "/usr/bin/mount"),
    program("nginx", "nginx", "/usr/sbin/nginx"),
    program("rmdir", "coreutils", "/usr/bin/rmdir"),
    program("ss", "iproute2", "/usr/bin/ss"),
    program("ssh", "openssh-client", "/usr/bin/ssh"),
    program("ssh-keygen", "openssh-client", "/usr/bin/ssh-keygen"),
    program("sshd", "openssh-server", "/usr/sbin/sshd"),
    program("sysctl", "procps", "/usr/sbin/sysctl"),
    program("systemd-socket-activate", "systemd", "/usr/bin/systemd-socket-activate"),
    program("umount", "mount", "/usr/bin/umount"),
];
