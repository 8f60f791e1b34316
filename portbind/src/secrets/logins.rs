//! A user and a password in one value.

use std::net::{IpAddr, Ipv6Addr};

use super::forms::{self, MASK};

/// Bytes of the longest name of a group (`groupadd`(8)).
const LONGEST_GROUP: usize = 32;

/// Whether a value has the form of a user and a password: not of an address with its port, a numeric user and group, or
/// a URL.
pub(super) fn is_login(value: &str) -> bool {
    let value = value.trim_matches(['\'', '"']);
    let Some((user, password)) = value.split_once(':') else { return false };
    let is_user = !user.contains(|c: char| c.is_whitespace() || "/[%".contains(c));
    let is_host = user.is_empty() || is_number(user) || user == "localhost" || user.parse::<IpAddr>().is_ok();
    let is_address = is_host && is_number(password) || value.parse::<Ipv6Addr>().is_ok();
    is_user && !is_address && !password.is_empty() && !password.starts_with("//")
}

/// Masks a value that may be a login.
pub(super) fn mask(value: &str) -> String {
    match value.split_once(':') {
        Some((user, _)) if is_login(value) => format!("{user}:{MASK}"),
        _ => forms::mask(value),
    }
}

/// Masks a value that is a login.
pub(super) fn mask_known(value: &str) -> String {
    match value.split_once([':', '%', ',']) {
        Some((_, "")) | None => value.to_owned(),
        Some((user, _)) => format!("{user}{}{MASK}", &value[user.len()..=user.len()]),
    }
}

/// Masks a value that is a user and a group, or a login.
pub(super) fn mask_group(value: &str) -> String {
    match value.split_once(':') {
        Some((_, group)) if is_group(group) => value.to_owned(),
        _ => mask(value),
    }
}

/// Masks a value that names a data source, `user:password@tcp(host)/name` or `user/password@name`. A password may hold
/// an `@`.
pub(super) fn mask_source(value: &str) -> String {
    let text = forms::mask(value);
    let Some((login, host)) = text.rsplit_once('@') else { return text };
    match login.split_once([':', '/']) {
        Some((user, password)) if !user.is_empty() && !password.is_empty() && !password.starts_with("//") => {
            format!("{user}{}{MASK}@{host}", &login[user.len()..=user.len()])
        }
        _ => text,
    }
}

/// Whether this is a valid name or number of a group.
fn is_group(name: &str) -> bool {
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
    name.len() <= LONGEST_GROUP && (is_name || is_number(name))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
