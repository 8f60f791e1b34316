//! The programs that contest ports in a made-up recording, and the causes.

use std::borrow::Cow;

/// A program.
pub(super) struct Program {
    pub(super) comm: &'static str,
    pub(super) exe: &'static str,
    args: &'static [&'static str],
}

/// A reason for a refusal.
pub(super) struct Case {
    pub(super) cause: &'static str,
    pub(super) summary: &'static str,
    pub(super) state: &'static str,
    pub(super) fixes: &'static [(&'static str, &'static str, Option<&'static str>)],
}

impl Program {
    pub(super) fn args(&self) -> Cow<'static, [String]> {
        self.args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>().into()
    }
}

pub(super) const PROGRAMS: &[Program] = &[
    Program {
        comm: "pytest",
        exe: "/usr/bin/python3.11",
        args: &["python3", "-m", "pytest", "-n", "4", "tests/"],
    },
    Program {
        comm: "python3",
        exe: "/usr/bin/python3.11",
        args: &["python3", "tests/fake_server.py", "--log", "debug"],
    },
    Program {
        comm: "java",
        exe: "/usr/lib/jvm/java-21/bin/java",
        args: &[
            "java",
            "-Xmx512m",
            "-cp",
            "build/libs/app.jar:build/libs/dependencies.jar",
            "org.example.app.Main",
        ],
    },
    Program {
        comm: "node",
        exe: "/usr/bin/node",
        args: &["node", "/srv/web/node_modules/.bin/vite", "--port", "8014"],
    },
    Program {
        comm: "api",
        exe: "/build/target/debug/deps/api-0123456789abcdef",
        args: &["api", "--test-threads", "4"],
    },
    Program {
        comm: "nginx",
        exe: "/usr/sbin/nginx",
        args: &["nginx: master process /usr/sbin/nginx -g daemon off;"],
    },
];

pub(super) const CASES: &[Case] = &[
    Case {
        cause: "listener",
        summary: "another program is listening there, and neither socket set SO_REUSEPORT",
        state: "listen",
        fixes: &[
            ("other-port", "use another port: 8001 is free", None),
            ("stop-holder", "stop the holder", Some("kill 4001")),
        ],
    },
    Case {
        cause: "same-program",
        summary: "another instance of the same program holds the port",
        state: "listen",
        fixes: &[("other-port", "use another port: 8001 is free", None)],
    },
    Case {
        cause: "time-wait",
        summary: "connections that were closed a moment ago still occupy the port, \
                  and the old socket had not set SO_REUSEADDR",
        state: "time_wait",
        fixes: &[(
            "reuse-address",
            "set SO_REUSEADDR on both sockets before bind: sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)",
            None,
        )],
    },
    Case {
        cause: "outgoing",
        summary: "an outgoing connection got the port as its ephemeral port",
        state: "established",
        fixes: &[(
            "reserve",
            "keep the kernel from giving it to connections",
            Some("sysctl -w net.ipv4.ip_local_reserved_ports=PORT"),
        )],
    },
    Case {
        cause: "bound-not-listening",
        summary: "another socket is bound there and does not listen: ss -l, lsof and fuser do not show it",
        state: "bound",
        fixes: &[("stop-holder", "stop the holder", Some("kill 4001"))],
    },
];
