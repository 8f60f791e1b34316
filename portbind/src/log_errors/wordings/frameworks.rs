//! Frameworks, development servers and test tools.

use crate::log_errors::wording::{ROW, Role, Wording};

const NODE: &[&str] = &["node", "nodejs", "bun", "next"];
const JAVA: &[&str] = &["java"];
const PYTHON: &[&str] = &["python", "gunicorn", "flask", "jupyter"];

pub(super) const ROWS: &[Wording] = &[
    Wording {
        source: "Spring Boot",
        programs: JAVA,
        pattern: r"Web server failed to start\. Port {port} was already in use",
        sample: "Web server failed to start. Port 8080 was already in use.",
        states: "tcp :8080",
        ..ROW
    },
    Wording {
        source: "Spring Boot",
        programs: JAVA,
        pattern: r"PortInUseException: Port {port} is already in use",
        role: Role::Echo,
        sample: "org.springframework.boot.web.server.PortInUseException: Port 8080 is already in use",
        states: "tcp :8080",
        ..ROW
    },
    Wording {
        source: "Tomcat",
        programs: JAVA,
        pattern: r#"BindException: {used}[^<]*<[^>]*>:{port}"#,
        sample: "java.net.BindException: Address already in use (Bind failed) <null>:8005",
        states: "tcp :8005",
        ..ROW
    },
    Wording {
        source: "Jetty",
        programs: JAVA,
        pattern: r"java\.io\.IOException: Failed to bind to /?{at}",
        sample: "java.io.IOException: Failed to bind to /0.0.0.0:8080",
        states: "tcp 0.0.0.0:8080",
        ..ROW
    },
    Wording {
        source: "Jetty before 9",
        programs: JAVA,
        pattern: r"Connector@{at}: java\.net\.BindException: {used}",
        sample: "2026-11-23 12:04:31.021:WARN:oejuc.AbstractLifeCycle:FAILED SelectChannelConnector@0.0.0.0:8080: java.net.BindException: Address already in use",
        states: "tcp 0.0.0.0:8080",
        ..ROW
    },
    Wording {
        source: "gRPC",
        pattern: r"Error in bind for address '{at}': {used}",
        sample: "E1123 12:04:31.335071    2058 add_port.cc:83] Failed to add port to server: No address added out of total 1 resolved for '127.0.0.1:8000' (Error in bind for address '[::ffff:127.0.0.1]:8000': Address already in use)",
        states: "tcp [::ffff:127.0.0.1]:8000",
        ..ROW
    },
    Wording {
        source: "gRPC before 1.50",
        pattern: r#"(?:No address|Only \d+ address(?:es)?) added out of total \d+ resolved.*"os_error":"{used}"#,
        details: &[r"Failed to bind to address {at}", r#""target_address":"[^"]*?{at}"#],
        sample: "E0218 20:52:36.045204321 1925 server_chttp2.cc:40] {\"description\":\"No address added out of total 1 resolved\",\"referenced_errors\":[{\"errno\":98,\"os_error\":\"Address already in use\",\"syscall\":\"bind\"}]}",
        states: "tcp",
        ..ROW
    },
    Wording {
        source: "gunicorn",
        programs: PYTHON,
        pattern: r"\[{pid}\] \[ERROR\] Connection in use: {tuple}",
        sample: "[2026-11-23 12:04:31 +0000] [1805] [ERROR] Connection in use: ('127.0.0.1', 8000)",
        states: "tcp 127.0.0.1:8000",
        ..ROW
    },
    Wording {
        source: "gunicorn",
        programs: PYTHON,
        pattern: r"\[{pid}\] \[ERROR\] connection to {tuple}\) failed: \[Errno 98\] {used}",
        role: Role::Echo,
        sample: "[2026-11-23 12:04:31 +0000] [1805] [ERROR] connection to ('127.0.0.1', 8000) failed: [Errno 98] Address already in use",
        states: "tcp 127.0.0.1:8000",
        ..ROW
    },
    Wording {
        source: "Flask",
        programs: PYTHON,
        pattern: r"Port {port} is in use by another program",
        sample: "Port 5000 is in use by another program. Either identify and stop that program, or start the server with a different port.",
        states: "tcp :5000",
        ..ROW
    },
    Wording {
        source: "Django",
        programs: PYTHON,
        pattern: r"Error: That port is already in use",
        details: &[r"development server at https?://{at}"],
        sample: "Error: That port is already in use.",
        states: "tcp",
        ..ROW
    },
    Wording {
        source: "Jupyter",
        programs: PYTHON,
        pattern: r"The port {port} is already in use",
        sample: "[I 2026-11-23 12:04:31.842 ServerApp] The port 8888 is already in use, trying another port.",
        states: "tcp :8888",
        ..ROW
    },
    Wording {
        source: "Vite",
        programs: NODE,
        pattern: r"Port {port} is in use, trying another one",
        sample: "Port 5173 is in use, trying another one...",
        states: "tcp :5173",
        ..ROW
    },
    Wording {
        source: "Next.js",
        programs: NODE,
        pattern: r"Port {port} is in use(?: by (?:process (?P<holder>\d+)|an unknown process))?, (?:trying|using available port) \d+",
        sample: " ⚠ Port 3000 is in use, trying 3001 instead.",
        states: "tcp :3000",
        ..ROW
    },
    Wording {
        source: "Create React App",
        programs: NODE,
        pattern: r"Something is already running on port {port}",
        sample: "? Something is already running on port 3000.",
        states: "tcp :3000",
        ..ROW
    },
];
