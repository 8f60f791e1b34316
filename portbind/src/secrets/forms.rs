//! Secrets recognised by their own form, or by a name in the same word.
//!
//! The patterns use neither Perl's classes nor Unicode case folding: the program has no tables for them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::names::{has_secret, is_plainly_secret, is_secret, is_secret_of_query};

/// The text that replaces a secret.
pub const MASK: &str = "***";

/// Tokens of services, each recognised by the prefix of its service; a JSON Web Token (RFC 7519).
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let starts = "gh[opusr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|soat)-|xox[abeoprs]-|xapp-|sk-|sk_(?:live|test)_\
                  |rk_(?:live|test)_|npm_|pypi-|dop_v1_|doo_v1_|hv[sbr]\\.|ya29\\.|AIza|SG\\.|shp(?:at|ss|ca|pa)_\
                  |dckr_pat_|ATATT|bk[au]{2}_|lin_api_|sq0[a-z]{3}-|EAACEdEose0cBA|tfp_|figd_";
    let keys = "(?:AKIA|ASIA)[0-9A-Z]{12,}";
    let jwt = "eyJ[0-9A-Za-z_-]{8,}\\.[0-9A-Za-z_-]{8,}(?:\\.[0-9A-Za-z_-]*)?";
    let hooks = "hooks\\.slack\\.com/[0-9A-Za-z/_-]+|discord(?:app)?\\.com/api/webhooks/[0-9A-Za-z/_-]+";
    Regex::new(&format!("(?-u:\\b)(?:(?:{starts})[0-9A-Za-z_.=-]{{10,}}|{keys}|{jwt}|{hooks})")).ok()
});
/// A part of the name of a secret ([`super::names`]), of a URL, or of a token: a text without any of them has no
/// secret.
static TRIGGER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = "pass|pwd|pw|secret|token|key|auth|cred|cookie|jwt|psk|bearer|string|sig|pin|otp|sas|pat|://|@|hooks\
                 |sessid|sessionid|[?&#](?:session|sid|code)|%[0-9a-f]{2}";
    let tokens = "gh[opusr]_|github_pat|gl[a-z]+-|xox|xapp|sk[-_]|rk_|npm_|pypi|do[op]_|hv[sbr]\\.|ya29|aiza|sg\\.|shp\
                  |pat_|atatt|bk[au]{2}_|lin_|sq0|eaac|tfp_|figd_|akia|asia|eyj";
    Regex::new(&format!("(?i-u:{names}|{tokens})")).ok()
});
/// The user information of a URL (RFC 3986, 3.2.1), up to the `@`; a password may hold an unencoded `@` itself.
static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"([A-Za-z][A-Za-z0-9+.-]*://)([^ \t\r\n/?#'"@:]*)(:[^ \t\r\n'"]*)?@"#).ok()
});
/// The user information of an address without a scheme: `user:password@host`.
static AT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(^|[ \t\r\n=,;'"(])([A-Za-z0-9._+-]+):([^ \t\r\n/'"@:]+)@([A-Za-z0-9\[_-]+)"#).ok()
});
/// User and password in the format of Oracle's driver.
static ORACLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(jdbc:oracle:[a-z]+:)([^ \t\r\n/'"@:]+)/([^ \t\r\n'"@]+)@"#).ok());
/// A name, and the separator between the name and its value: `name=value`, `"name": "value"`, `name: value`,
/// `name := value`, `"name" => "value"`. In the query of a URL, any character of the name may be encoded.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let sign = r#"\\?["']?\]?(?:[ \t]*(?:=>?|:=)[ \t]*|["'][ \t]*:[ \t]*|:[ \t]*)"#;
    let code = "%[0-9A-Fa-f]{2}";
    Regex::new(&format!("((?:[A-Za-z_]|{code})(?:[A-Za-z0-9_.-]|{code})*)({sign})")).ok()
});
/// A value.
static VALUE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|[^& \t\r\n]+)"#).ok());
/// An element of XML with text in it.
static ELEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let text = r"<!\[CDATA\[[^\]]*\]\]>|[^<]+";
    Regex::new(&format!(r"(<([A-Za-z_][A-Za-z0-9_.:-]*)(?:[ \t\r\n][^<>]*)?>)({text})(</)")).ok()
});
/// A header, up to the end of the line or of its quotes.
static HEADER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let scheme = "(?i-u:bearer|basic|token|digest|apikey)";
    Regex::new(&format!(r#"([A-Za-z][A-Za-z0-9-]*)(:[ \t]*)({scheme}[ \t][^'"\r\n]+)"#)).ok()
});
/// A password in the format of openssl(1).
static PASS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(pass:)(.+)$").ok());
/// A key in PEM (RFC 7468).
const PEM: &str = "PRIVATE KEY-----";

/// Whether a word may hold a secret, or name a secret that follows.
pub(super) fn has_trigger(word: &str) -> bool {
    TRIGGER.as_ref().is_none_or(|trigger| trigger.is_match(word))
}

/// Masks these secrets in a text.
pub(super) fn mask(text: &str) -> String {
    if !has_trigger(text) {
        return text.to_owned();
    }
    if text.contains(PEM) {
        return MASK.to_owned();
    }
    let kept = replace(&URL, text, url);
    let kept = replace(&AT, &kept, |found| match &found[4] {
        // In the name of an image, a checksum follows the `@`.
        "sha256" | "sha512" => found[0].to_owned(),
        host => format!("{}{}:{MASK}@{host}", &found[1], &found[2]),
    });
    let kept = replace(&ORACLE, &kept, |found| format!("{}{}/{MASK}@", &found[1], &found[2]));
    let kept = replace(&HEADER, &kept, |found| {
        if is_secret(&found[1]) { format!("{}{}{MASK}", &found[1], &found[2]) } else { found[0].to_owned() }
    });
    let kept = replace(&ELEMENT, &kept, |found| match is_secret(&found[2]) && !found[3].trim().is_empty() {
        true => format!("{}{MASK}{}", &found[1], &found[4]),
        false => found[0].to_owned(),
    });
    let kept = pairs(&kept);
    let kept = replace(&PASS, &kept, |found| format!("{}{MASK}", &found[1]));
    replace(&TOKEN, &kept, |_| MASK.to_owned()).into_owned()
}

/// Masks the secret in the user information of a URL. A lone word is a token in an http or https URL, and a user in
/// other URLs.
fn url(found: &Captures<'_>) -> String {
    let (scheme, user) = (&found[1], &found[2]);
    let Some(password) = found.get(3).map(|part| &part.as_str()[1..]) else {
        let is_token = matches!(scheme, "http://" | "https://") && !user.is_empty();
        return format!("{scheme}{}@", if is_token { MASK } else { user });
    };
    let digits = password.len() - password.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    // Not a password: the port of a host, and a path after it.
    if digits > 0 && password[digits..].starts_with(['/', '?', '#']) {
        return found[0].to_owned();
    }
    format!("{scheme}{user}:{}@", if password.is_empty() { "" } else { MASK })
}

/// Masks the secrets in the pairs of a text. A value that is no secret is searched, too, for it may hold pairs itself.
fn pairs(text: &str) -> String {
    let (Some(names), Some(values)) = (&*NAME, &*VALUE) else { return MASK.to_owned() };
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(found) = names.captures(rest) {
        let end = found.get_match().end();
        kept.push_str(&rest[..end]);
        let (name, sign) = (decoded(&found[1]), &found[2]);
        let is_field = sign == "=" && kept[..kept.len() - found[0].len()].ends_with(['?', '&', '#']);
        rest = &rest[end..];
        // `auth:/data` and `token:1.2` are names with a colon. The value is matched only for a secret: each match may
        // scan to the end of the text.
        let names_secret = if sign == ":" { is_plainly_secret(&name) } else { is_secret(&name) };
        if !names_secret && !is_field {
            continue;
        }
        let value = values.find(rest).map_or("", |value| value.as_str());
        let is_masked = has_secret(&name, value) || is_field && is_secret_of_query(&name, value);
        if !value.is_empty() && is_masked {
            kept.push_str(&masked(value));
            rest = &rest[value.len()..];
        }
    }
    kept.push_str(rest);
    kept
}

/// A name without percent-encoding (RFC 3986, 2.1). A character that no name has becomes a separator.
fn decoded(name: &str) -> Cow<'_, str> {
    let mut parts = name.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).unwrap_or(("", part));
        let byte = u8::from_str_radix(code, 16).ok().filter(u8::is_ascii_alphanumeric);
        plain.push(byte.map_or('-', char::from));
        plain.push_str(rest);
    }
    if plain == name { Cow::Borrowed(name) } else { Cow::Owned(plain) }
}

/// The replacement for a value. A value in quotes stays in quotes.
fn masked(value: &str) -> String {
    let is_quote = |c: &char| matches!(c, '"' | '\'');
    let first = value.chars().next().filter(is_quote);
    // A quote only at the end closes quotes that began before the name.
    let last = first.or_else(|| value.chars().next_back().filter(is_quote));
    let [first, last] = [first, last].map(|quote| quote.map_or_else(String::new, String::from));
    format!("{first}{MASK}{last}")
}

fn replace<'a>(
    pattern: &LazyLock<Option<Regex>>,
    text: &'a str,
    with: impl Fn(&Captures<'_>) -> String,
) -> Cow<'a, str> {
    match &**pattern {
        Some(pattern) => pattern.replace_all(text, |found: &Captures<'_>| with(found)),
        // Without the pattern, the text may hold a secret.
        None => Cow::Borrowed(MASK),
    }
}
