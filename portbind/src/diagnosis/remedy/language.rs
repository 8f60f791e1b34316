//! How programs in various languages set a socket option.

use crate::diagnosis::program::file_name;
use crate::event::{Process, Socket};

/// The option to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// SO_REUSEADDR.
    ReuseAddress,
    /// SO_REUSEPORT.
    ReusePort,
    /// IPV6_V6ONLY.
    V6Only,
    /// FD_CLOEXEC.
    CloseOnExec,
}

/// Phrases by program: the start of the executable's name, then one phrase per setting, in the order of [`Setting`].
///
/// An empty phrase: the program has no such setting.
const PHRASES: [(&str, [&str; 4]); 13] = [
    (
        "python",
        [
            "sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), or allow_reuse_address = True of a \
             socketserver",
            "sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1), or reuse_port=True of asyncio",
            "sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)",
            "sock.set_inheritable(False), and close_fds=True for subprocesses",
        ],
    ),
    (
        "java",
        [
            "serverSocket.setReuseAddress(true) before bind",
            "serverSocket.setOption(StandardSocketOptions.SO_REUSEPORT, true) before bind",
            "",
            "Java does so by itself; look for native code",
        ],
    ),
    (
        "node",
        [
            "Node.js does so for TCP; reuseAddr: true for dgram",
            "reusePort: true in the options of listen",
            "ipv6Only: true in the options of listen",
            "Node.js does so by itself; look at stdio of child_process",
        ],
    ),
    (
        "ruby",
        [
            "socket.setsockopt(:SOCKET, :REUSEADDR, true)",
            "socket.setsockopt(:SOCKET, :REUSEPORT, true)",
            "socket.ipv6only!",
            "socket.close_on_exec = true",
        ],
    ),
    (
        "php",
        [
            "socket_set_option($socket, SOL_SOCKET, SO_REUSEADDR, 1)",
            "socket_set_option($socket, SOL_SOCKET, SO_REUSEPORT, 1), or so_reuseport in the stream context",
            "ipv6_v6only in the stream context",
            "close the socket in the child before exec",
        ],
    ),
    (
        "perl",
        [
            "ReuseAddr => 1 in the constructor of the socket",
            "ReusePort => 1 in the constructor of the socket",
            "V6Only => 1 in the constructor of the socket (IO-Socket-IP)",
            "leave $^F at 2, which closes the others on exec",
        ],
    ),
    (
        "nginx",
        [
            "nginx does so by itself",
            "listen ... reuseport",
            "listen [::]:PORT ipv6only=on",
            "nginx does so by itself",
        ],
    ),
    (
        "beam",
        [
            "{reuseaddr, true} in the options of gen_tcp:listen",
            "{reuseport, true} in the options of gen_tcp:listen",
            "{ipv6_v6only, true} in the options of gen_tcp:listen",
            "Erlang does so by itself; look for native code",
        ],
    ),
    // Settings of Apache and Squid name addresses only.
    ("apache2", ["Apache does so by itself", "", "", "Apache does so by itself"]),
    ("squid", ["Squid does so by itself", "", "", "Squid does so by itself"]),
    (
        GO,
        [
            "Go does so by itself",
            "net.ListenConfig with a Control function that sets SO_REUSEPORT",
            "net.Listen(\"tcp6\", ...)",
            "Go does so by itself; look at ExtraFiles of exec.Cmd",
        ],
    ),
    (
        "systemd",
        [
            "systemd does so by itself",
            "ReusePort=yes in the socket unit",
            "BindIPv6Only=ipv6-only in the socket unit",
            "systemd does so by itself",
        ],
    ),
    (
        "",
        [
            "setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ...) before bind",
            "setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, ...) before bind",
            "setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, ...) before bind",
            "SOCK_CLOEXEC at socket and accept4",
        ],
    ),
];

/// How programs bind one address instead of the wildcard address, by the start of the executable's name.
const OWN_ADDRESS: [(&str, &str); 1] = [("dnsmasq", "bind-interfaces, and listen-address=ADDRESS")];

/// Programs that are written in Go, and run by people who did not write them.
const IN_GO: [&str; 12] = [
    "caddy",
    "traefik",
    "prometheus",
    "node_exporter",
    "grafana",
    "hugo",
    "minio",
    "consul",
    "etcd",
    "vault",
    "nomad",
    "gitea",
];
/// Stands for them, and for what `go run` and `go test` build.
const GO: &str = "go";

/// How to set the option in the language of `process`, for this socket; empty if the program has no such
/// setting.
pub(super) fn how(setting: Setting, process: &Process, socket: &Socket) -> String {
    let is_go = IN_GO.contains(&executable(process))
        || process.exe.as_deref().is_some_and(|exe| exe.contains("/go-build"));
    let is_its = |program: &str| match program {
        GO => is_go,
        program => executable(process).starts_with(program),
    };
    let phrases = PHRASES.iter().find(|(program, _)| is_its(program)).map(|(_, phrases)| phrases);
    let phrase = phrases.and_then(|phrases| phrases.get(setting as usize)).copied().unwrap_or_default();
    phrase.replace(":PORT", &format!(":{}", socket.port))
}

/// How `process` is made to bind one address, after a colon; empty if the program has no known setting.
pub(super) fn how_to_bind_address(process: &Process) -> String {
    let known = OWN_ADDRESS.iter().find(|(program, _)| executable(process) == *program);
    known.map_or_else(String::new, |(_, phrase)| format!(": {phrase}"))
}

fn executable(process: &Process) -> &str {
    file_name(process.exe.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::samples;

    /// Two colons would be escaped in the output, because CI systems act on them.
    #[test]
    fn no_phrase_is_escaped() {
        for phrase in PHRASES.iter().flat_map(|(_, phrases)| phrases) {
            let outside = phrase.replace("[::]", "");
            assert!(!outside.contains("::") && !outside.contains("##"), "{phrase}");
        }
    }

    #[test]
    fn speaks_the_language_of_the_program() {
        let rows = [
            (
                "/usr/bin/python3.11",
                Setting::V6Only,
                "sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)",
            ),
            ("/usr/sbin/nginx", Setting::ReusePort, "listen ... reuseport"),
            ("/usr/sbin/nginx", Setting::V6Only, "listen [::]:8080 ipv6only=on"),
            ("/usr/lib/jvm/java-17/bin/java", Setting::V6Only, ""),
            ("/tmp/go-build1/b001/exe/web", Setting::V6Only, "net.Listen(\"tcp6\", ...)"),
            ("/opt/server", Setting::CloseOnExec, "SOCK_CLOEXEC at socket and accept4"),
            ("", Setting::ReuseAddress, "setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ...) before bind"),
        ];
        for (exe, setting, expected) in rows {
            let process = Process { exe: Some(exe.to_owned()), ..Process::default() };
            assert_eq!(how(setting, &process, &samples::listener().socket), expected, "{exe}");
        }
    }
}
