//! Options that take a secret: by their name, or by the rules of a program ([`programs`](super::programs)).

use super::forms::{self, MASK};
use super::logins;
use super::names::{has_secret, is_secret, is_setting, takes_secret};
use Takes::{Field, Header, Literal, Login, Nothing, Secret, Source, UserAndGroup, UserAndSecret, Variable};

/// The kind of value that an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// A secret, in the next word or in the same one.
    Secret,
    /// A secret in the same word only: without a value, the option makes the program ask for the secret.
    Attached,
    /// A user and a password, separated by a colon, a percent sign or a comma.
    UserAndSecret,
    /// A value that may be a user and a password, for an unknown program: masked only if it has that form.
    Login,
    /// A user and a group, separated by a colon. A part that is no valid name of a group is a password: the option may
    /// belong to a command that the program runs.
    UserAndGroup,
    /// A header: a name, a colon, and possibly a secret.
    Header,
    /// The value that follows the name of a header as a separate word: a secret, or a scheme and then the secret.
    Field,
    /// A variable: a name, an equals sign, and possibly a secret, whatever the name.
    Variable,
    /// A name, an equals sign, and a secret.
    Literal,
    /// A data source: the text before the last `@` is a user and a password.
    Source,
    /// A switch: no value in the next word, and no secret.
    Nothing,
}

/// Options with the same meaning in most programs that have them, for programs without other rules.
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
/// Options of several letters that begin like a short option with its value in the same word, and may be followed by a
/// colon.
const NO_LOGINS: [&str; 10] = ["udp", "uid", "unix", "uri", "url", "urn", "usb", "user", "username", "uuid"];
/// Words that precede the secret in a header.
const SCHEMES: [&str; 5] = ["bearer", "basic", "token", "digest", "apikey"];

impl Takes {
    /// The kind of value in the next word after an option of this name, whatever the program.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        takes_secret(name.trim_start_matches('-')).then_some(Secret)
    }

    /// Like [`Self::by_name`], including the names in [`COMMON`].
    pub(super) fn by_common_name(name: &str) -> Option<Self> {
        Self::by_name(name).or_else(|| common(name))
    }

    /// The kind of value, and the value, in a word that is an option of [`COMMON`] with its value attached. `rest` is
    /// the word without its hyphen.
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

    /// The kind of value that follows a word which is only the name of a field and a colon, or the word for the most
    /// common kind of token.
    pub(super) fn field(word: &str) -> Option<Self> {
        if word == "Bearer" {
            return Some(Field);
        }
        let name = word.strip_suffix(':')?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        (is_name && is_secret(name)).then_some(Field)
    }

    /// Whether a word certainly is the value of the option; otherwise it is treated like any other word.
    pub(super) fn is_taken(self, word: &str) -> bool {
        match self {
            Login => logins::is_login(word),
            Header | UserAndGroup => word.contains(':'),
            Literal => word.contains('='),
            _ => true,
        }
    }

    /// Whether a word is no secret, but precedes one.
    pub(super) fn is_before(self, word: &str) -> bool {
        self == Field && SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
    }

    /// The kind of this value of an option of this name, whatever the program.
    pub(super) fn of_value(name: &str, value: &str) -> Option<Self> {
        has_secret(name.trim_start_matches('-'), value).then_some(Secret).or_else(|| common(name))
    }

    /// The kind of the next word, if the option has no value attached.
    pub(super) fn next(self) -> Option<Self> {
        (!matches!(self, Self::Attached | Nothing)).then_some(self)
    }

    /// Masks the secret in a value.
    pub(super) fn mask(self, value: &str) -> String {
        // A word of a command within a word keeps its quotes.
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

/// Whether an option of this name is in [`COMMON`]; if a value is attached, the name ends at the `=`.
pub(super) fn is_common(option: &str) -> bool {
    common(option.split('=').next().unwrap_or_default()).is_some()
}

/// The kind of value that an option of this name takes in most programs.
fn common(name: &str) -> Option<Takes> {
    let name = name.trim_start_matches('-');
    let is_source = name.strip_suffix("dsn").is_some_and(|rest| rest.ends_with(['-', '_', '.']));
    let known = COMMON.iter().find(|(known, _)| *known == name).map(|(_, takes)| *takes);
    known.or(is_source.then_some(Source))
}

/// Whether the value of a variable may be a secret: any value except a number or the value of a switch.
fn has_value(name: &str, value: &str) -> bool {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit()) && value.len() < 8 || is_setting(value);
    !value.is_empty() && (is_secret(name) || !is_plain)
}
