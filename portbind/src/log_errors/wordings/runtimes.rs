//! Languages and their standard libraries.

use crate::log_errors::wording::{ROW, Role, Wording};

const NODE: &[&str] = &["node", "nodejs", "bun", "deno"];
const JAVA: &[&str] = &["java"];
const PYTHON: &[&str] = &["python", "gunicorn", "uvicorn", "pytest", "flask"];
const RUBY: &[&str] = &["ruby", "puma", "rails"];
const BEAM: &[&str] = &["beam"];
const PHP: &[&str] = &["php"];
const DOTNET: &[&str] = &["dotnet"];

/// Lines near a JVM exception that contain the address: Netty, Tomcat, Elasticsearch, Jetty, Kafka.
const JAVA_DETAILS: &[&str] =
    &["Failed to bind to:? /?{at}", r"\bBind(?:Transport|Http)Exception.*\[{port}\]", r"\bConnector@{at}"];

pub(super) const ROWS: &[Wording] = &[
    Wording {
        source: "Go",
        pattern: r"\blisten tcp[46]? {at}: bind: {used}",
        sample: "2026/11/23 12:04:31 listen tcp :8080: bind: address already in use",
        states: "tcp :8080",
        ..ROW
    },
    Wording {
        source: "Go",
        pattern: r"\blisten udp[46]? {at}: bind: {used}",
        protocol: Some("udp"),
        sample: "2026/11/23 12:04:31 listen udp 127.0.0.1:8125: bind: address already in use",
        states: "udp 127.0.0.1:8125",
        ..ROW
    },
    Wording {
        source: "Go",
        pattern: r"\blisten unix(?:packet|gram)? {path}: bind: {used}",
        protocol: None,
        sample: "listen unix /run/app.sock: bind: address already in use",
        states: "/run/app.sock",
        ..ROW
    },
    Wording {
        source: "Node.js",
        programs: NODE,
        pattern: r"\blisten EADDRINUSE: address already in use (?:{path}|{at})",
        sample: "Error: listen EADDRINUSE: address already in use :::3000",
        states: "tcp [::]:3000",
        ..ROW
    },
    Wording {
        source: "Node.js",
        programs: NODE,
        pattern: r"\bbind EADDRINUSE(?:: address already in use)? (?:{path}|{at})",
        protocol: Some("udp"),
        sample: "Error: bind EADDRINUSE 0.0.0.0:5353",
        states: "udp 0.0.0.0:5353",
        ..ROW
    },
    Wording {
        source: "Node.js before 12",
        programs: NODE,
        pattern: r"\blisten EADDRINUSE (?:{path}|{at})",
        sample: "Error: listen EADDRINUSE 127.0.0.1:4200",
        states: "tcp 127.0.0.1:4200",
        ..ROW
    },
    Wording {
        source: "Node.js, the error as an object",
        programs: NODE,
        pattern: r#"\bcode: ['"]EADDRINUSE['"]|"code":"EADDRINUSE""#,
        details: &[
            r"(?:^|[|:Z])\s*port: {port}",
            r"(?:^|[|:Z])\s*address: '{path}'",
            r"(?:^|[|:Z])\s*address: '(?P<address>[0-9A-Fa-f.:]+)'",
        ],
        protocol: None,
        role: Role::Echo,
        sample: "  code: 'EADDRINUSE',",
        states: "",
    },
    Wording {
        source: "Java, a cause",
        programs: JAVA,
        pattern: r"Caused by: java\.net\.BindException: (?:bind failed: EADDRINUSE \()?{used}",
        details: JAVA_DETAILS,
        protocol: None,
        role: Role::Echo,
        sample: "Caused by: java.net.BindException: Address already in use (Bind failed)",
        states: "",
    },
    Wording {
        source: "Java",
        programs: JAVA,
        pattern: r"\bBindException(?:: |\[)(?:bind failed: EADDRINUSE \()?{used}",
        details: JAVA_DETAILS,
        protocol: None,
        sample: "Exception in thread \"main\" java.net.BindException: Die Adresse wird bereits verwendet",
        states: "",
        ..ROW
    },
    Wording {
        source: "Netty",
        programs: JAVA,
        pattern: r"\bNativeIoException: bind\(\.\.\) failed(?: with error\(-98\))?: {used}",
        details: JAVA_DETAILS,
        protocol: None,
        sample: "io.netty.channel.unix.Errors$NativeIoException: bind(..) failed: Address already in use",
        states: "",
        ..ROW
    },
    Wording {
        source: "Python asyncio",
        programs: PYTHON,
        pattern: r"error while attempting to bind on address {tuple}.*\): (?:\[errno 98\] )?{used}",
        sample: "OSError: [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use",
        states: "tcp 127.0.0.1:8000",
        ..ROW
    },
    Wording {
        source: "Python",
        programs: PYTHON,
        pattern: r"\[Errno 98\] {used} \(while attempting to bind on address {tuple}",
        protocol: None,
        sample: "OSError: [Errno 98] Address already in use (while attempting to bind on address ('127.0.0.1', 9000))",
        states: "127.0.0.1:9000",
        ..ROW
    },
    Wording {
        source: "Twisted",
        programs: &["python", "twistd"],
        pattern: r"CannotListenError: Couldn't listen on {at}: \[Errno 98\] {used}",
        protocol: None,
        role: Role::Echo,
        sample: "twisted.internet.error.CannotListenError: Couldn't listen on any:8000: [Errno 98] Address already in use.",
        states: "any:8000",
        ..ROW
    },
    Wording {
        source: "pytest, its summary",
        programs: PYTHON,
        pattern: r"^(?:.*\s)?(?:FAILED|ERROR) \S+ - (?:OSError|PermissionError): \[Errno 98\]",
        protocol: None,
        role: Role::Recap,
        sample: "FAILED tests/test_api.py::test_health - OSError: [Errno 98] Address already in use",
        states: "",
        ..ROW
    },
    Wording {
        source: "Python",
        programs: PYTHON,
        pattern: r"(?:OSError|socket\.error|error): \[Errno 98\] {used}",
        protocol: None,
        sample: "E       OSError: [Errno 98] Address already in use",
        states: "",
        ..ROW
    },
    Wording {
        source: "Ruby",
        programs: RUBY,
        pattern: r#"{used} - (?:bind\(2\)|connect\(2\)) for "?(?P<address>[^" ]*?)"? port {port}"#,
        protocol: None,
        sample: "server.rb:3:in `initialize': Address already in use - bind(2) for \"127.0.0.1\" port 3000 (Errno::EADDRINUSE)",
        states: "127.0.0.1:3000",
        ..ROW
    },
    Wording {
        source: "Ruby",
        programs: RUBY,
        pattern: r"{used} - bind\(2\) for (?:{path}|{at}) \(Errno::EADDRINUSE\)",
        protocol: None,
        sample: "socket.rb:201:in `bind': Address already in use - bind(2) for 127.0.0.1:8000 (Errno::EADDRINUSE)",
        states: "127.0.0.1:8000",
        ..ROW
    },
    Wording {
        source: "PHP, the built-in server",
        programs: PHP,
        pattern: r"Failed to listen on {at} \(reason: {used}\)",
        sample: "[Mon Nov 23 12:04:31 2026] Failed to listen on localhost:8000 (reason: Address already in use)",
        states: "tcp localhost:8000",
        ..ROW
    },
    Wording {
        source: "PHP",
        programs: PHP,
        pattern: r"stream_socket_server\(\): [Uu]nable to connect to (?P<protocol>tcp|udp)://{at} \({used}\)",
        protocol: None,
        sample: "Warning: stream_socket_server(): Unable to connect to tcp://127.0.0.1:9501 (Address already in use)",
        states: "tcp 127.0.0.1:9501",
        ..ROW
    },
    Wording {
        source: "Perl",
        programs: &["perl"],
        pattern: r"IO::Socket::(?:INET|IP): {used}",
        protocol: None,
        sample: "cannot listen: IO::Socket::INET: Address already in use at server.pl line 3.",
        states: "",
        ..ROW
    },
    Wording {
        source: ".NET, Kestrel",
        programs: DOTNET,
        pattern: r"Failed to bind to address (?:https?://)?{at}[^:]*: (?:address|port) already in use",
        sample: "System.IO.IOException: Failed to bind to address http://127.0.0.1:5000: address already in use.",
        states: "tcp 127.0.0.1:5000",
        ..ROW
    },
    Wording {
        source: ".NET",
        programs: DOTNET,
        pattern: r"(?:AddressInUseException: |SocketException \((?:98|48|10048)\): ){used}",
        protocol: None,
        role: Role::Echo,
        sample: " ---> System.Net.Sockets.SocketException (98): Address already in use",
        states: "",
        ..ROW
    },
    Wording {
        source: "Rust",
        pattern: r"\{ code: 98, kind: AddrInUse, message: ",
        protocol: None,
        sample: "called `Result::unwrap()` on an `Err` value: Os { code: 98, kind: AddrInUse, message: \"Address already in use\" }",
        states: "",
        ..ROW
    },
    Wording {
        source: "Rust",
        pattern: r"{used} \(os error 98\)",
        protocol: None,
        sample: "Error: Address already in use (os error 98)",
        states: "",
        ..ROW
    },
    Wording {
        source: "Erlang, Ranch and Cowboy",
        programs: BEAM,
        pattern: r"Failed to start Ranch listener .*\{port,\s*{port}\}.* for reason eaddrinuse",
        sample: "[error] Failed to start Ranch listener http in ranch_tcp:listen([{port,8088},{ip,{127,0,0,1}}]) for reason eaddrinuse (address already in use)",
        states: "tcp 127.0.0.1:8088",
        ..ROW
    },
    Wording {
        source: "RabbitMQ",
        programs: BEAM,
        pattern: r#"could_not_start_listener,"(?P<address>[^"]*)",{port},eaddrinuse"#,
        sample: "Application rabbit exited with reason: {{could_not_start_listener,\"::\",5672,eaddrinuse},{rabbit,start,[normal,[]]}}",
        states: "tcp [::]:5672",
        ..ROW
    },
    Wording {
        source: "RabbitMQ, the distribution port",
        programs: BEAM,
        pattern: r"distribution port {port} in use by",
        sample: "ERROR: distribution port 25672 in use by another node: rabbit@build1",
        states: "tcp :25672",
        ..ROW
    },
    Wording {
        source: "Erlang and Elixir",
        programs: BEAM,
        pattern: r"\beaddrinuse\b",
        details: &[r"\{port,\s*{port}\}", r"\bport:? {port}", r"\bat http://{at}"],
        protocol: None,
        role: Role::Echo,
        sample: "** (MatchError) no match of right hand side value: {:error, :eaddrinuse}",
        states: "",
    },
];
