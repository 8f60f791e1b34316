//! Secrets that are known by their form, or by a name in the same word.
//!
//! The patterns do without Perl's classes and Unicode's cases, for which the program has no tables.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::MASK;
use super::names::{has_secret, is_secret};

/// Tokens of services, by the start that each service gives its own; a JSON Web Token (RFC 7519).
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let starts = "gh[opusr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|soat)-|xox[abeoprs]-|xapp-|sk-|sk_(?:live|test)_\
                  |rk_(?:live|test)_|npm_|pypi-|dop_v1_|doo_v1_|hv[sbr]\\.|ya29\\.|AIza|SG\\.|shp(?:at|ss|ca|pa)_\
                  |dckr_pat_|ATATT|bk[au]{2}_|lin_api_|sq0[a-z]{3}-|EAACEdEose0cBA|tfp_|figd_";
    let keys = "(?:AKIA|ASIA)[0-9A-Z]{12,}";
    let jwt = "eyJ[0-9A-Za-z_-]{8,}\\.[0-9A-Za-z_-]{8,}(?:\\.[0-9A-Za-z_-]*)?";
    Regex::new(&format!("(?-u:\\b)(?:(?:{starts})[0-9A-Za-z_.=-]{{10,}}|{keys}|{jwt})")).ok()
});
/// Something of a name of a secret ([`super::names`]), of a URL, or of a token: without any there is no secret.
static TRIGGER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = "pass|pwd|pw|secret|token|key|auth|cred|cookie|jwt|psk|bearer|string|://";
    let tokens = "gh[opusr]_|github_pat|gl[a-z]+-|xox|xapp|sk[-_]|rk_|npm_|pypi|do[op]_|hv[sbr]\\.|ya29|aiza|sg\\.|shp|pat_\
                  |atatt|bk[au]{2}_|lin_|sq0|eaac|tfp_|figd_|akia|asia|eyj";
    Regex::new(&format!("(?i-u:{names}|{tokens})")).ok()
});
/// The user information of a URL (RFC 3986, 3.2.1), as far as the `@`; a password may hold one itself.
static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"([A-Za-z][A-Za-z0-9+.-]*://)([^ \t\r\n/?#'"@:]*)(:[^ \t\r\n/?#'"]*)?@"#).ok()
});
/// A name and its value: `name=value`, `"name": "value"`, `name: value`.
static PAIR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let value = r#""(?:[^"\\]|\\.)*"?|'[^']*'?|[^& \t\r\n]+"#;
    let sign = r#"\\?["']?\]?(?:[ \t]*=[ \t]*|["'][ \t]*:[ \t]*|:[ \t]+)"#;
    Regex::new(&format!("([A-Za-z_][A-Za-z0-9_.-]*)({sign})({value})")).ok()
});
/// A header, as far as the end of the line or of its quotes.
static HEADER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let scheme = "(?i-u:bearer|basic|token|digest|apikey)";
    Regex::new(&format!(r#"([A-Za-z][A-Za-z0-9-]*)(:[ \t]*)({scheme}[ \t][^'"\r\n]+)"#)).ok()
});
/// A password as openssl(1) takes it.
static PASS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(pass:)(.+)$").ok());
/// A key in PEM (RFC 7468).
const PEM: &str = "PRIVATE KEY-----";

/// Whether a word may hold a secret, or name one that follows.
pub(super) fn has_trigger(word: &str) -> bool {
    TRIGGER.as_ref().is_none_or(|trigger| trigger.is_match(word))
}

/// A text without such secrets.
pub(super) fn mask(text: &str) -> String {
    if !has_trigger(text) {
        return text.to_owned();
    }
    if text.contains(PEM) {
        return MASK.to_owned();
    }
    let kept = replace(&URL, text, |found| {
        let password = found.get(3).map_or("", |part| part.as_str());
        let user = if password.len() > 1 {
            format!("{}:{MASK}", &found[2])
        } else {
            format!("{}{password}", &found[2])
        };
        format!("{}{user}@", &found[1])
    });
    let kept = replace(&HEADER, &kept, |found| {
        if is_secret(&found[1]) { format!("{}{}{MASK}", &found[1], &found[2]) } else { found[0].to_owned() }
    });
    let kept = pairs(&kept);
    let kept = replace(&PASS, &kept, |found| format!("{}{MASK}", &found[1]));
    replace(&TOKEN, &kept, |_| MASK.to_owned()).into_owned()
}

/// A text without the secrets of its pairs.
fn pairs(text: &str) -> String {
    let Some(pattern) = &*PAIR else { return MASK.to_owned() };
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(found) = pattern.captures(rest) {
        let (start, end) = (found.get_match().start(), found.get_match().end());
        // Where the quote at the end begins the value of a secret, that is looked at once more with what follows.
        let end = if is_secret(&found[1]) { end } else { end - secret_at_end(pattern, &found[3]) };
        kept.push_str(&rest[..start]);
        kept.push_str(&replace(&PAIR, &rest[start..end], pair));
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

/// Bytes at the end of a value that name a secret and begin its value, as in `'a password='`; 0 if there are none.
fn secret_at_end(pattern: &Regex, value: &str) -> usize {
    let last = pattern.captures_iter(value).last();
    let last = last.filter(|last| matches!(&last[3], "'" | "\"") && is_secret(&last[1]));
    last.map_or(0, |last| value.len() - last.get_match().start())
}

/// A pair without its secret. A value in quotes stays in quotes.
fn pair(found: &Captures<'_>) -> String {
    let (name, sign, value) = (&found[1], &found[2], &found[3]);
    if !has_secret(name, value) {
        // The value may be a pair itself: `--env=TOKEN=x`.
        let inner =
            replace(
                &PAIR,
                value,
                |inner| if is_secret(&inner[1]) { pair(inner) } else { inner[0].to_owned() },
            );
        return format!("{name}{sign}{inner}");
    }
    let is_quote = |c: &char| matches!(c, '"' | '\'');
    let first = value.chars().next().filter(is_quote);
    // One at the end only closes what began before the name.
    let last = first.or_else(|| value.chars().next_back().filter(is_quote));
    let [first, last] = [first, last].map(|quote| quote.map_or_else(String::new, String::from));
    format!("{name}{sign}{first}{MASK}{last}")
}

fn replace<'a>(
    pattern: &LazyLock<Option<Regex>>,
    text: &'a str,
    with: impl Fn(&Captures<'_>) -> String,
) -> Cow<'a, str> {
    match &**pattern {
        Some(pattern) => pattern.replace_all(text, |found: &Captures<'_>| with(found)),
        // What cannot be looked for may be there.
        None => Cow::Borrowed(MASK),
    }
}
