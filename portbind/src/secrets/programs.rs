//! Programs whose options take secrets, from the manual page of each program.

use super::options::Takes::{self, Attached, Header, Nothing, Secret, UserAndGroup, UserAndSecret, Variable};

/// A program with options whose names do not reveal the kind of their values.
#[derive(Debug)]
pub(super) struct Program {
    names: &'static [&'static str],
    /// Short options without a value; other options may follow in the same word.
    switches: &'static str,
    short: &'static [(char, Takes)],
    long: &'static [(&'static str, Takes)],
    /// Names of Windows-style options that take a secret, `/p:secret`.
    slashes: &'static [&'static str],
}

/// A program without rules.
const NOTHING: Program = Program { names: &[], switches: "", short: &[], long: &[], slashes: &[] };

/// The known programs. Programs whose name also means other things are left out: after `--network net`, the options are
/// still docker's.
const PROGRAMS: [Program; 24] = [
    // Programs that other programs run: listed so that their options are not taken for options of the program before.
    Program { names: &["ssh", "scp", "sftp", "psql", "env", "sudo", "sh", "bash"], ..NOTHING },
    Program {
        names: &["docker", "podman", "nerdctl", "docker-compose"],
        short: &[('e', Variable), ('u', UserAndGroup)],
        long: &[("env", Variable), ("build-arg", Variable), ("user", UserAndGroup)],
        ..NOTHING
    },
    Program { names: &["kubectl", "oc"], long: &[("env", Variable)], ..NOTHING },
    Program {
        names: &["buildah", "crun", "runc", "chpst", "svlogd", "socklog", "tcpsvd", "udpsvd"],
        short: &[('u', UserAndGroup), ('U', UserAndGroup)],
        long: &[("user", UserAndGroup)],
        ..NOTHING
    },
    // Programs in which the letter is a switch, which a name with a colon may follow.
    Program {
        names: &[
            "socat",
            "nc",
            "ncat",
            "netcat",
            "ss",
            "netstat",
            "iperf",
            "iperf3",
            "git",
            "mvn",
            "mvnw",
            "mvnd",
            "lein",
            // Maven in its Java process.
            "org.codehaus.plexus.classworlds.launcher.Launcher",
            "org.apache.maven.wrapper.MavenWrapperMain",
        ],
        short: &[('u', Nothing), ('U', Nothing)],
        ..NOTHING
    },
    Program { names: &["rsync"], short: &[('u', Nothing)], ..NOTHING },
    Program {
        names: &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mysqlimport",
            "mysqlcheck",
            "mysqlshow",
            "mysqlslap",
            "mariadb",
            "mariadb-dump",
            "mariadb-admin",
            "mariadb-import",
            "mariadb-check",
            "mycli",
            "7z",
            "7za",
            "7zr",
            "7zz",
        ],
        short: &[('p', Attached)],
        ..NOTHING
    },
    // With `-hp`, the names of the files are encrypted, too.
    Program { names: &["rar", "unrar"], switches: "h", short: &[('p', Attached)], ..NOTHING },
    Program {
        names: &["curl", "http", "https", "xh", "xhs", "httpie"],
        switches: "#0123469BGIJLMNOQRSVafgijklnpqsvZ",
        short: &[
            ('u', UserAndSecret),
            ('U', UserAndSecret),
            ('a', UserAndSecret),
            ('H', Header),
            ('b', Secret),
        ],
        long: &[
            ("user", UserAndSecret),
            ("proxy-user", UserAndSecret),
            ("header", Header),
            ("proxy-header", Header),
        ],
        ..NOTHING
    },
    Program { names: &["wget", "wget2", "aria2c"], long: &[("header", Header)], ..NOTHING },
    Program {
        names: &["ab", "siege"],
        short: &[('A', UserAndSecret), ('P', UserAndSecret), ('H', Header)],
        ..NOTHING
    },
    Program {
        names: &[
            "sshpass",
            "mongo",
            "mongosh",
            "mongodump",
            "mongorestore",
            "mongoexport",
            "mongoimport",
            "rdesktop",
            "cqlsh",
            "ncftp",
            "ncftpget",
            "ncftpput",
            "evil-winrm",
            "beeline",
            "rabbitmqadmin",
            "vncdo",
            "vncdotool",
        ],
        short: &[('p', Secret)],
        ..NOTHING
    },
    Program {
        names: &["xfreerdp", "xfreerdp3", "wlfreerdp", "wlfreerdp3", "sdl-freerdp", "sdl-freerdp3"],
        short: &[('p', Secret)],
        slashes: &["p", "pcb", "gp", "pth", "password", "gateway"],
        ..NOTHING
    },
    Program { names: &["redis-cli", "valkey-cli"], short: &[('a', Secret)], ..NOTHING },
    Program { names: &["login"], short: &[('p', Secret)], ..NOTHING },
    Program {
        names: &[
            "ldapsearch",
            "ldapadd",
            "ldapmodify",
            "ldapdelete",
            "ldapwhoami",
            "ldappasswd",
            "ldapcompare",
            "ldapmodrdn",
            "ldapexop",
        ],
        short: &[('w', Secret), ('s', Secret)],
        ..NOTHING
    },
    Program { names: &["slappasswd"], short: &[('s', Secret)], ..NOTHING },
    Program {
        names: &["smbclient", "rpcclient", "smbget", "smbcacls", "smbtree", "samba-tool", "winexe", "wmic"],
        short: &[('U', UserAndSecret)],
        long: &[("user", UserAndSecret)],
        ..NOTHING
    },
    // A comma separates user and password.
    Program { names: &["lftp"], short: &[('u', UserAndSecret)], long: &[("user", UserAndSecret)], ..NOTHING },
    Program {
        names: &["zip", "unzip", "sqlcmd", "bcp", "tsql", "mosquitto_pub", "mosquitto_sub", "mosquitto_rr"],
        short: &[('P', Secret)],
        ..NOTHING
    },
    Program { names: &["ipmitool"], short: &[('P', Secret), ('k', Secret), ('y', Secret)], ..NOTHING },
    Program {
        names: &[
            "ipmipower",
            "ipmi-power",
            "ipmiconsole",
            "ipmi-sensors",
            "ipmi-sel",
            "ipmi-fru",
            "bmc-info",
        ],
        short: &[('p', Secret), ('k', Secret)],
        ..NOTHING
    },
    Program {
        names: &[
            "snmpget",
            "snmpgetnext",
            "snmpwalk",
            "snmpset",
            "snmpbulkget",
            "snmpbulkwalk",
            "snmptrap",
            "snmpinform",
            "snmptable",
            "snmpstatus",
        ],
        short: &[('A', Secret), ('X', Secret), ('c', Secret)],
        ..NOTHING
    },
    Program { names: &["openssl"], long: &[("k", Secret), ("K", Secret)], ..NOTHING },
];

impl Program {
    /// The program that a word names, by the last part of its path. For `docker login` and similar subcommands, the
    /// name is `login`.
    pub(super) fn find(word: &str) -> Option<&'static Self> {
        let name = word.rsplit('/').next().unwrap_or_default();
        PROGRAMS.iter().find(|program| program.names.contains(&name))
    }

    /// The kind of value of a short option, and the part of the value in the same word; `rest` is the word without its
    /// hyphen.
    pub(super) fn short<'a>(&self, rest: &'a str) -> Option<(Takes, &'a str)> {
        let mut chars = rest.chars();
        loop {
            let option = chars.next()?;
            if let Some((_, takes)) = self.short.iter().find(|(known, _)| *known == option) {
                return Some((*takes, chars.as_str()));
            }
            if !self.switches.contains(option) {
                return None;
            }
        }
    }

    /// The kind of value of a long option.
    pub(super) fn long(&self, name: &str) -> Option<Takes> {
        let name = name.trim_start_matches('-');
        self.long.iter().find(|(known, _)| *known == name).map(|(_, takes)| *takes)
    }

    /// Whether this Windows-style option takes a secret.
    pub(super) fn slash(&self, name: &str) -> bool {
        self.slashes.contains(&name)
    }
}
