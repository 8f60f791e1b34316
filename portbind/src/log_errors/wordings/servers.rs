//! Servers.

use crate::log_errors::wording::{ROW, Role, Wording};

const MYSQL: &[&str] = &["mysqld", "mariadbd"];
const MONGO: &[&str] = &["mongod", "mongos"];
const MONGO_DETAILS: &[&str] = &[r"\bport: {port}", r"\bport={port}", r#""port":{port}"#];

pub(super) const ROWS: &[Wording] = &[
    Wording {
        source: "nginx",
        programs: &["nginx"],
        pattern: r"(?:\b{pid}#\d+: )?bind\(\) to (?:unix:{path}|{at}) failed \(98: {used}",
        protocol: None,
        sample: "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
        states: "0.0.0.0:80",
        ..ROW
    },
    Wording {
        source: "Apache httpd",
        programs: &["apache2", "httpd"],
        pattern: r"\(98\){used}: (?:AH00072: )?make_sock: could not bind to address {at}",
        sample: "(98)Address already in use: AH00072: make_sock: could not bind to address [::]:80",
        states: "tcp [::]:80",
        ..ROW
    },
    Wording {
        source: "lighttpd",
        programs: &["lighttpd"],
        pattern: r"can't bind to socket: {at}: {used}",
        sample: "2026-11-23 12:04:31: (network.c.537) can't bind to socket: 0.0.0.0:80: Address already in use",
        states: "tcp 0.0.0.0:80",
        ..ROW
    },
    Wording {
        source: "HAProxy",
        programs: &["haproxy"],
        pattern: r"\({pid}\) : .*cannot bind (?:UNIX )?socket \({used}\) (?:for )?\[(?:{path}|{at})\]",
        sample: "[ALERT]    (1119) : Binding [haproxy.cfg:8] for frontend web: cannot bind socket (Address already in use) for [127.0.0.1:80]",
        states: "tcp 127.0.0.1:80",
        ..ROW
    },
    Wording {
        source: "Envoy",
        programs: &["envoy"],
        pattern: r"cannot bind '(?:{path}|{at})': {used}",
        protocol: None,
        sample: "error initializing configuration: cannot bind '0.0.0.0:9001': Address already in use",
        states: "0.0.0.0:9001",
        ..ROW
    },
    Wording {
        source: "Squid",
        programs: &["squid"],
        pattern: r"commBind Cannot bind socket FD \d+ to {at}: \(98\) {used}",
        protocol: None,
        sample: "2026/11/23 12:04:31| commBind Cannot bind socket FD 13 to 127.0.0.1:3128: (98) Address already in use",
        states: "127.0.0.1:3128",
        ..ROW
    },
    Wording {
        source: "Varnish",
        programs: &["varnishd"],
        pattern: r"Could not get socket {at}: {used}",
        sample: "Error: Could not get socket :6081: Address already in use",
        states: "tcp :6081",
        ..ROW
    },
    Wording {
        source: "PostgreSQL",
        programs: &["postgres"],
        pattern: r#"\[{pid}\].*could not bind (?:IPv4|IPv6|Unix) (?:address|socket)(?: "(?:{path}|(?P<address>[^"]*))")?: {used}"#,
        details: &[r"another postmaster already running on port {port}"],
        sample: "2026-11-23 12:04:31.852 UTC [1109] LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use",
        states: "tcp 127.0.0.1",
        ..ROW
    },
    Wording {
        source: "PostgreSQL",
        programs: &["postgres"],
        pattern: r#"could not bind (?:IPv4|IPv6|Unix) (?:address|socket)(?: "(?:{path}|(?P<address>[^"]*))")?: {used}"#,
        details: &[r"another postmaster already running on port {port}"],
        sample: "LOG:  could not bind IPv6 address \"::1\": Address already in use",
        states: "tcp [::1]",
        ..ROW
    },
    Wording {
        source: "MySQL and MariaDB",
        programs: MYSQL,
        pattern: r"Can't start server: Bind on TCP/IP port(?:\. Got error: \d+)?: {used}",
        details: &[r"server running on port: {port}", r"\bport: '{port}'"],
        sample: "2026-11-23 12:04:31 0 [ERROR] Can't start server: Bind on TCP/IP port. Got error: 98: Address already in use",
        states: "tcp",
        ..ROW
    },
    Wording {
        source: "MySQL X Plugin",
        programs: MYSQL,
        pattern: r"Setup of bind-address: '(?P<address>[^']*)' port: {port} failed, `bind\(\)` failed with error: {used}",
        sample: "[ERROR] [MY-011300] [Server] Plugin mysqlx reported: 'Setup of bind-address: '*' port: 33060 failed, `bind()` failed with error: Address already in use (98). Do you already have another mysqld server running with Mysqlx ?'",
        states: "tcp *:33060",
        ..ROW
    },
    Wording {
        source: "Redis",
        programs: &["redis-server", "valkey-server"],
        pattern: r"(?:\b{pid}:[A-Z] .*)?Could not create server TCP listening socket {at}: bind: {used}",
        sample: "1022:M 23 Nov 2026 12:04:31.360 # Warning: Could not create server TCP listening socket *:6379: bind: Address already in use",
        states: "tcp *:6379",
        ..ROW
    },
    Wording {
        source: "MongoDB before 4.4",
        programs: MONGO,
        pattern: r"Failed to set up listener: SocketException: {used}",
        details: MONGO_DETAILS,
        sample: "2026-11-23T12:04:31.700+0000 E STORAGE  [initandlisten] Failed to set up listener: SocketException: Address already in use",
        states: "tcp",
        ..ROW
    },
    Wording {
        source: "MongoDB",
        programs: MONGO,
        pattern: r#"Error setting up listener.*"errmsg":"{used}"#,
        details: MONGO_DETAILS,
        sample: "{\"t\":{\"$date\":\"2026-11-23T12:04:31.652+00:00\"},\"s\":\"E\",\"c\":\"STORAGE\",\"id\":20568,\"ctx\":\"initandlisten\",\"msg\":\"Error setting up listener\",\"attr\":{\"error\":{\"code\":9001,\"codeName\":\"SocketException\",\"errmsg\":\"Address already in use\"}}}",
        states: "tcp",
        ..ROW
    },
    Wording {
        source: "MongoDB before 3.6",
        programs: MONGO,
        pattern: r"listen\(\): bind\(\) failed (?:errno:\d+ )?{used} for socket: (?:{path}|{at})",
        sample: "2026-11-23T12:04:31.719+0100 E NETWORK  [initandlisten] listen(): bind() failed errno:98 Address already in use for socket: 0.0.0.0:27017",
        states: "tcp 0.0.0.0:27017",
        ..ROW
    },
    Wording {
        source: "memcached",
        programs: &["memcached"],
        pattern: r"failed to listen on (?:one of interface\(s\) \S+|TCP port {port}): {used}",
        sample: "failed to listen on TCP port 11211: Address already in use",
        states: "tcp :11211",
        ..ROW
    },
    Wording {
        source: "Kafka",
        programs: &["java"],
        pattern: r"Socket server failed to bind to {at}: {used}",
        sample: "kafka.common.KafkaException: Socket server failed to bind to 0.0.0.0:9092: Address already in use.",
        states: "tcp 0.0.0.0:9092",
        ..ROW
    },
    Wording {
        source: "Elasticsearch",
        programs: &["java"],
        pattern: r"Bind(?:Transport|Http)Exception\[Failed to bind to \[{port}\]\]; .*BindException\[{used}\]",
        sample: "BindHttpException[Failed to bind to [9200]]; nested: ChannelException[Failed to bind to: /127.0.0.1:9200]; nested: BindException[Address already in use];",
        states: "tcp 127.0.0.1:9200",
        ..ROW
    },
    Wording {
        source: "Mosquitto",
        programs: &["mosquitto"],
        pattern: r"^(?:.*\s)?\d{10}: Error: {used}|mosquitto\[\d+\]: Error: {used}",
        details: &[r"Opening ipv[46] listen socket on port {port}"],
        sample: "1795435471: Error: Address already in use",
        states: "tcp",
        ..ROW
    },
    Wording {
        source: "OpenSSH sshd",
        programs: &["sshd"],
        pattern: r"Bind to port {port} on (?P<address>\S+) failed: {used}",
        sample: "error: Bind to port 22 on 0.0.0.0 failed: Address already in use.",
        states: "tcp 0.0.0.0:22",
        ..ROW
    },
    Wording {
        source: "OpenVPN",
        programs: &["openvpn"],
        pattern: r"Socket bind failed on local address (?:\[[A-Za-z0-9_]+\])?{at}: {used}",
        protocol: None,
        sample: "2026-11-23 12:04:31 TCP/UDP: Socket bind failed on local address [AF_INET]127.0.0.1:1194: Address already in use (errno=98)",
        states: "127.0.0.1:1194",
        ..ROW
    },
    Wording {
        source: "Dovecot",
        programs: &["dovecot"],
        pattern: r"bind\((?P<address>[^,)]+), {port}\) failed: {used}",
        sample: "Error: service(imap-login): listen(*, 143) failed: bind(0.0.0.0, 143) failed: Address already in use",
        states: "tcp 0.0.0.0:143",
        ..ROW
    },
    Wording {
        source: "Dovecot",
        programs: &["dovecot"],
        pattern: r"service\([\w-]+\): listen\((?P<address>[^,)]+), {port}\) failed: {used}",
        sample: "Error: service(pop3-login): listen(*, 110) failed: Address already in use",
        states: "tcp *:110",
        ..ROW
    },
    Wording {
        source: "Postfix",
        programs: &["master"],
        pattern: r"fatal: bind (?P<address>\S+) port {port}: {used}",
        sample: "postfix/master[812]: fatal: bind 0.0.0.0 port 25: Address already in use",
        states: "tcp 0.0.0.0:25",
        ..ROW
    },
    Wording {
        source: "OpenLDAP slapd",
        programs: &["slapd"],
        pattern: r"daemon: bind\(\d+\) failed errno=98 \({used}\)",
        sample: "6b04d0cb.1de6c5d1 0x7f980f6e5200 daemon: bind(6) failed errno=98 (Address already in use)",
        states: "tcp",
        ..ROW
    },
    Wording {
        source: "syslog-ng",
        programs: &["syslog-ng"],
        pattern: r"Error binding socket; addr='AF_INET6?\({at}\)', error='{used}",
        protocol: None,
        sample: "[2026-11-23T12:04:31.126458] Error binding socket; addr='AF_INET(127.0.0.1:514)', error='Address already in use (98)'",
        states: "127.0.0.1:514",
        ..ROW
    },
    Wording {
        source: "dnsmasq",
        programs: &["dnsmasq"],
        pattern: r"failed to create listening socket for (?:port {port}|(?P<address>[0-9A-Fa-f:.]+)): {used}",
        protocol: None,
        sample: "dnsmasq: failed to create listening socket for port 53: Address already in use",
        states: ":53",
        ..ROW
    },
    Wording {
        source: "BIND named",
        programs: &["named"],
        pattern: r"(?:binding (?P<protocol>TCP|UDP) socket|could not listen on (?:UDP|TCP) socket|creating (?:IPv[46] )?interface \S+ failed|isc_nm_\w+): {used}",
        protocol: None,
        sample: "23-Nov-2026 12:04:31.452 binding TCP socket: address in use",
        states: "tcp",
        ..ROW
    },
    Wording {
        source: "unbound",
        programs: &["unbound"],
        pattern: r"\bunbound\[{pid}:\d+\] error: (?:can't )?bind(?: socket)?: {used}",
        protocol: None,
        sample: "[1795435471] unbound[1334:0] error: bind: address already in use",
        states: "",
        ..ROW
    },
    Wording {
        source: "uWSGI",
        programs: &["uwsgi"],
        pattern: r"another instance of uWSGI is running on the same address \((?:{path}|{at})\)",
        sample: "probably another instance of uWSGI is running on the same address (127.0.0.1:8000).",
        states: "tcp 127.0.0.1:8000",
        ..ROW
    },
    Wording {
        source: "uWSGI",
        programs: &["uwsgi"],
        pattern: r"bind\(\): {used} \[core/socket\.c line",
        role: Role::Echo,
        sample: "bind(): Address already in use [core/socket.c line 769]",
        states: "tcp",
        ..ROW
    },
];
