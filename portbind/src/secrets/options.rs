//! Options that take a secret: by their name, or because a program says so ([`programs`](super::programs)).

use super::forms::{self, MASK};
use super::logins;
use super::names::{has_secret, is_secret, is_setting, takes_secret};
use Takes::{Field, Header, Literal, Login, Nothing, Secret, Source, UserAndGroup, UserAndSecret, Variable};

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// A secret, in the next word or in the same one.
    Secret,
    /// A secret in the same word only: alone, the option has the program ask for it.
    Attached,
    /// A user and a password with a colon between them, a percent sign or a comma.
    UserAndSecret,
    /// The same where nothing is known of the program: only what has the form of it.
    Login,
    /// A user and a group with a colon between them. What can be no name of a group is a password: the option may be one of
    /// a command that the program runs.
    UserAndGroup,
    /// A header: a name, a colon, and what may be a secret.
    Header,
    /// What stands behind the name of a header in a word of its own: a secret, or a word for its kind and then the secret.
    Field,
    /// A variable: a name, an equals sign, and what may be a secret whatever the name says.
    Variable,
    /// A name, an equals sign, and what is a secret.
    Literal,
    /// A data source: what stands in front of the last `@` is a user and a password.
    Source,
    /// No secret, and nothing in the next word: a switch.
    Nothing,
}

/// What options take in most programs that have them, where nothing else is known.
const COMMON: [(&str, Takes); 11] = [
    ("u", Login),
    ("U", Login),
    ("user", Login),
    ("username", Login),
    ("http-user", Login),
    ("proxy-user", Login),
    ("H", Header),
    ("header", Header),
    ("proxy-header", Header),
    ("from-literal", Literal),
    ("dsn", Source),
];
/// Options of several letters that begin like one with its value in the same word, and may have a colon behind them.
const NO_LOGINS: [&str; 10] = ["udp", "uid", "unix", "uri", "url", "urn", "usb", "user", "username", "uuid"];
/// Words in a header in front of its secret.
const SCHEMES: [&str; 5] = ["bearer", "basic", "token", "digest", "apikey"];

impl Takes {
    /// What an option of this name takes in the next word, whatever the program.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        takes_secret(name.trim_start_matches('-')).then_some(Secret)
    }

    /// The same, also where the name is one of [`COMMON`].
    pub(super) fn by_common_name(name: &str) -> Option<Self> {
        Self::by_name(name).or_else(|| common(name))
    }

    /// What a word takes that is one of [`COMMON`] and has its value in the same word; and the value. `rest` is the word
    /// behind its hyphen.
    pub(super) fn short(rest: &str) -> Option<(Self, &str)> {
        let name = rest.get(..1)?;
        let takes = common(name)?;
        let value = &rest[1..];
        let is_its = match takes {
            _ if value.is_empty() => true,
            Header => value.split_once(':').is_some_and(|(name, _)| is_secret(name)),
            _ => {
                let word = rest.split([':', '=']).next().unwrap_or_default();
                !NO_LOGINS.contains(&word) && logins::is_login(value)
            }
        };
        is_its.then_some((takes, value))
    }

    /// What a word takes that is the name of a field and a colon, and nothing else; or the word for the most common kind of
    /// token.
    pub(super) fn field(word: &str) -> Option<Self> {
        if word == "Bearer" {
            return Some(Field);
        }
        let name = word.strip_suffix(':')?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        (is_name && is_secret(name)).then_some(Field)
    }

    /// Whether it is sure that a word is what the option takes; else it is looked at as any other word.
    pub(super) fn is_taken(self, word: &str) -> bool {
        match self {
            Login => logins::is_login(word),
            Header | UserAndGroup => word.contains(':'),
            Literal => word.contains('='),
            _ => true,
        }
    }

    /// Whether a secret comes after this word, and the word is none.
    pub(super) fn is_before(self, word: &str) -> bool {
        self == Field && SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
    }

    /// What this value of an option of this name is, whatever the program.
    pub(super) fn of_value(name: &str, value: &str) -> Option<Self> {
        has_secret(name.trim_start_matches('-'), value).then_some(Secret).or_else(|| common(name))
    }

    /// What the next word is, where the option stands alone.
    pub(super) fn next(self) -> Option<Self> {
        (!matches!(self, Self::Attached | Nothing)).then_some(self)
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
            Secret | Self::Attached | Field => MASK.to_owned(),
            UserAndSecret => logins::mask_known(value),
            Login => logins::mask(value),
            UserAndGroup => logins::mask_group(value),
            Source => logins::mask_source(value),
            Variable => match value.split_once('=') {
                Some((name, secret)) if has_value(name, secret) => format!("{name}={MASK}"),
                _ => forms::mask(value),
            },
            Literal => match value.split_once('=') {
                Some((name, secret)) if !secret.is_empty() => format!("{name}={MASK}"),
                _ => forms::mask(value),
            },
            Nothing => forms::mask(value),
            Header => match value.split_once(':') {
                Some((name, secret)) if is_secret(name) && !secret.trim().is_empty() => {
                    format!("{name}: {MASK}")
                }
                _ => forms::mask(value),
            },
        }
    }
}

/// Whether an option of this name is one of [`COMMON`]; of one with its value, the name ends at the `=`.
pub(super) fn is_common(option: &str) -> bool {
    common(option.split('=').next().unwrap_or_default()).is_some()
}

/// What an option of this name takes.
fn common(name: &str) -> Option<Takes> {
    let name = name.trim_start_matches('-');
    let is_source = name.strip_suffix("dsn").is_some_and(|rest| rest.ends_with(['-', '_', '.']));
    let known = COMMON.iter().find(|(known, _)| *known == name).map(|(_, takes)| *takes);
    known.or(is_source.then_some(Source))
}

/// Whether a variable holds what may be a secret: anything but a number or a word of a setting.
fn has_value(name: &str, value: &str) -> bool {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit()) && value.len() < 8 || is_setting(value);
    !value.is_empty() && (is_secret(name) || !is_plain)
}
