//! Options that take a secret: by their name, or because a known program says so.

use super::MASK;
use super::names::{has_secret, is_secret, is_setting, takes_secret};

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// A secret, in the next word or in the same one.
    Secret,
    /// A secret in the same word only: alone, the option has the program ask for it.
    Attached,
    /// A user and a password with a colon between them, or with a percent sign.
    UserAndSecret,
    /// A header: a name, a colon, and what may be a secret.
    Header,
    /// A variable: a name, an equals sign, and what may be a secret whatever the name says.
    Variable,
}

/// A program whose options do not say by their names what they take.
#[derive(Debug)]
pub(super) struct Program {
    names: &'static [&'static str],
    /// Short options that take nothing, and that others may follow in the same word.
    switches: &'static str,
    short: &'static [(char, Takes)],
    long: &'static [(&'static str, Takes)],
}

use Takes::{Attached, Header, Secret, UserAndSecret, Variable};

/// A program of which nothing else is known.
const NOTHING: Program = Program { names: &[], switches: "", short: &[], long: &[] };

/// From the manual page of each.
const PROGRAMS: [Program; 14] = [
    // Those that other programs run, so that options are not taken for those of the programs before.
    Program { names: &["ssh", "scp", "sftp", "rsync", "psql", "env", "sudo", "sh", "bash"], ..NOTHING },
    Program {
        names: &["docker", "podman", "nerdctl", "docker-compose"],
        short: &[('e', Variable)],
        long: &[("env", Variable), ("build-arg", Variable)],
        ..NOTHING
    },
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
            "rar",
            "unrar",
        ],
        short: &[('p', Attached)],
        ..NOTHING
    },
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
    },
    Program { names: &["wget", "wget2", "aria2c"], long: &[("header", Header)], ..NOTHING },
    Program {
        names: &["ab", "siege"],
        short: &[('A', UserAndSecret), ('P', UserAndSecret), ('H', Header)],
        ..NOTHING
    },
    Program {
        names: &["sshpass", "mongo", "mongosh", "mongodump", "mongorestore"],
        short: &[('p', Secret)],
        ..NOTHING
    },
    Program { names: &["redis-cli", "valkey-cli"], short: &[('a', Secret)], ..NOTHING },
    Program { names: &["login"], short: &[('p', Secret)], ..NOTHING },
    Program {
        names: &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami", "ldappasswd"],
        short: &[('w', Secret), ('s', Secret)],
        ..NOTHING
    },
    Program { names: &["smbclient", "rpcclient", "smbget"], short: &[('U', UserAndSecret)], ..NOTHING },
    Program {
        names: &["zip", "unzip", "sqlcmd", "bcp", "tsql", "ipmitool"],
        short: &[('P', Secret)],
        ..NOTHING
    },
    Program {
        names: &["snmpget", "snmpwalk", "snmpset", "snmpbulkwalk"],
        short: &[('A', Secret), ('X', Secret), ('c', Secret)],
        ..NOTHING
    },
    Program { names: &["openssl"], long: &[("k", Secret), ("K", Secret)], ..NOTHING },
];

impl Program {
    /// The program that a word names, by the end of its path. `docker login` and its like count from `login` on.
    pub(super) fn find(word: &str) -> Option<&'static Self> {
        let name = word.rsplit('/').next().unwrap_or_default();
        PROGRAMS.iter().find(|program| program.names.contains(&name))
    }

    /// What a short option takes, and what of it stands in the same word; `rest` is the word behind its hyphen.
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

    /// What a long option takes.
    pub(super) fn long(&self, name: &str) -> Option<Takes> {
        let name = name.trim_start_matches('-');
        self.long.iter().find(|(known, _)| *known == name).map(|(_, takes)| *takes)
    }
}

impl Takes {
    /// What an option of this name takes in the next word, whatever the program.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        takes_secret(name.trim_start_matches('-')).then_some(Secret)
    }

    /// What this value of an option of this name is, whatever the program.
    pub(super) fn of_value(name: &str, value: &str) -> Option<Self> {
        has_secret(name.trim_start_matches('-'), value).then_some(Secret)
    }

    /// What the next word is, where the option stands alone.
    pub(super) fn next(self) -> Option<Self> {
        (self != Attached).then_some(self)
    }

    /// The value without its secret.
    pub(super) fn mask(self, value: &str) -> String {
        // A word of a command inside of a word has its quotes.
        for quote in ['\'', '"'] {
            let inside = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
            if let Some(inside) = inside.filter(|inside| !inside.is_empty()) {
                return format!("{quote}{}{quote}", self.mask(inside));
            }
        }
        match self {
            _ if value.is_empty() => String::new(),
            Secret | Attached => MASK.to_owned(),
            UserAndSecret => match value.split_once([':', '%']) {
                Some((_, "")) | None => value.to_owned(),
                Some((user, _)) => format!("{user}{}{MASK}", &value[user.len()..=user.len()]),
            },
            Variable => match value.split_once('=') {
                Some((name, secret)) if has_value(name, secret) => format!("{name}={MASK}"),
                _ => super::mask_text(value),
            },
            Header => match value.split_once(':') {
                Some((name, secret)) if is_secret(name) && !secret.trim().is_empty() => {
                    format!("{name}: {MASK}")
                }
                _ => super::mask_text(value),
            },
        }
    }
}

/// Whether a variable holds what may be a secret: anything but a number or a word of a setting.
fn has_value(name: &str, value: &str) -> bool {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit()) && value.len() < 8 || is_setting(value);
    !value.is_empty() && (is_secret(name) || !is_plain)
}

/// What ends a word of a shell's command.
const OPERATORS: &str = ";|&()`";

/// The words of a command as a shell would split it, each behind the gap before it, quotes and all; together they are
/// the text. A gap behind the last one has an empty word.
pub(super) fn tokens(text: &str) -> Vec<(&str, &str)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_gap = |c: char| c.is_whitespace() || OPERATORS.contains(c);
        let gap = rest.len() - rest.trim_start_matches(is_gap).len();
        let (gap, behind) = rest.split_at(gap);
        let mut quote = None;
        let end = behind.find(|c: char| {
            match (quote, c) {
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), _) if open == c => quote = None,
                _ => {}
            }
            quote.is_none() && is_gap(c)
        });
        let (word, left) = behind.split_at(end.unwrap_or(behind.len()));
        tokens.push((gap, word));
        rest = left;
    }
    tokens
}
