//! Names whose value is a secret.

/// Words that make a name the name of a secret, anywhere in the name; in capital letters, without separators.
const ANYWHERE: [&str; 18] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASSCODE",
    "PASSWRD",
    "SECRET",
    "CREDENTIAL",
    "APIKEY",
    "ACCESSKEY",
    "PRIVATEKEY",
    "AUTHKEY",
    "ACCOUNTKEY",
    "ENCRYPTIONKEY",
    "SIGNINGKEY",
    "CONNECTIONSTRING",
    "AUTHORIZATION",
    "BEARER",
    "SIGNATURE",
];
/// Words that make a name the name of a secret, as a whole part of the name.
const PARTS: [&str; 18] = [
    "PASS",
    "PWD",
    "PW",
    "TOKEN",
    "TOKENS",
    "KEY",
    "KEYS",
    "AUTH",
    "MASTERAUTH",
    "CREDS",
    "CRED",
    "COOKIE",
    "JWT",
    "PSK",
    "SIG",
    "JSESSIONID",
    "PHPSESSID",
    "SESSID",
];
/// Names that mean a secret in the query of a URL only: `XDG_SESSION_ID` and an exit code are no secrets. `code` and
/// `code_verifier` are those of OAuth (RFC 6749, 4.1.2; RFC 7636, 4.5).
const IN_QUERIES: [&str; 6] = ["SESSION", "SESSIONID", "SID", "CODE", "AUTHCODE", "CODEVERIFIER"];
/// Keys that are no secrets.
const OPEN_KEYS: [&str; 5] = ["PUBLICKEY", "PRIMARYKEY", "FOREIGNKEY", "SORTKEY", "PARTITIONKEY"];
/// Parts that make a name ending in `TOKENS` a number of tokens: `max-tokens`.
const NUMBERS: [&str; 5] = ["MAX", "MIN", "N", "NUM", "TOTAL"];
/// Words that make a name the name of a secret, as its last part only: `pin-memory` and `otp-release` are no secrets.
const LASTS: [&str; 5] = ["PIN", "OTP", "TOTP", "SAS", "PAT"];
/// Words that make a name the name of a secret, at the end of any part.
const ENDS: [&str; 3] = ["PASS", "TOKEN", "PWD"];
/// Parts that have such an end by chance.
const WORDS: [&str; 5] = ["BYPASS", "COMPASS", "ENCOMPASS", "OVERPASS", "OLDPWD"];
/// Last parts of names whose values describe a secret, but are none.
const ABOUT: [&str; 33] = [
    "FILE",
    "PATH",
    "DIR",
    "STDIN",
    "FD",
    "TYPE",
    "NAME",
    "URL",
    "URI",
    "SOCK",
    "SOCKET",
    "METHOD",
    "MODE",
    "LENGTH",
    "LEN",
    "SIZE",
    "COUNT",
    "EXPIRY",
    "TTL",
    "TIMEOUT",
    "HELPER",
    "HOST",
    "PORT",
    "USER",
    "USERNAME",
    "REALM",
    "PLUGIN",
    "FORMAT",
    "ALGORITHM",
    "VERSION",
    "PROVIDER",
    "SERVER",
    "ISSUER",
];
/// First parts of the names of switches; a switch takes no value, or a value of [`PLAIN`].
const SWITCHES: [&str; 8] = ["NO", "DISABLE", "SKIP", "WITHOUT", "ENABLE", "REQUIRE", "ALLOW", "USE"];
/// Values of switches, which are no secrets. Numbers of fewer than four digits are no secrets, either: a PIN has more.
const PLAIN: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "always", "never"];
/// Bytes of the longest name that is checked.
const LONGEST: usize = 256;

/// Whether the next word after an option of this name is a secret: yes for `password`, no for `password-file` and
/// `no-auth`.
pub(super) fn takes_secret(name: &str) -> bool {
    is_secret(name) && !is_switch(name)
}

/// Whether a name means a secret whatever surrounds it: yes for `password`, no for `token`, which also occurs in
/// other names.
pub(super) fn is_plainly_secret(name: &str) -> bool {
    is_secret(name) && ANYWHERE.iter().any(|word| parts(name).concat().contains(word))
}

/// Whether this value of a variable, option, field or header of this name is a secret. The value of a switch is no
/// secret if it only sets the switch: `USE_TOKEN=true`.
pub(super) fn has_secret(name: &str, value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    let is_other = is_switch(name) && is_setting(value) || name == "PWD" && is_folder(value);
    is_secret(name) && !is_other
}

/// Whether this value of a field of this name in the query of a URL is a secret, although it is none elsewhere.
pub(super) fn is_secret_of_query(name: &str, value: &str) -> bool {
    name.len() <= LONGEST && IN_QUERIES.contains(&parts(name).concat().as_str()) && !is_setting(value)
}

/// Whether a value only sets a switch: `true`, `no`.
pub(super) fn is_setting(value: &str) -> bool {
    let is_number = value.len() < 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    PLAIN.iter().any(|plain| value.eq_ignore_ascii_case(plain)) || is_number
}

/// Whether a value belongs to the shell's `PWD`, and is no password of ODBC: an absolute path, or an expression that a
/// shell expands to one.
fn is_folder(value: &str) -> bool {
    value.is_empty() || value.starts_with(['/', '$', '`', '.'])
}

fn is_switch(name: &str) -> bool {
    parts(name).first().is_some_and(|part| SWITCHES.contains(&part.as_str()))
}

/// Whether the value of a variable, option, field or header of this name is a secret: yes for `DB_PASSWORD`, `api-key`,
/// `accessToken`, `X-Auth-Token`, no for `PASSWORD_FILE`. For `PWD`, the value decides ([`has_secret`]).
pub(super) fn is_secret(name: &str) -> bool {
    if name.len() > LONGEST {
        return false;
    }
    let parts = parts(name);
    if parts.last().is_some_and(|part| ABOUT.contains(&part.as_str())) {
        return false;
    }
    let joined = parts.concat();
    if OPEN_KEYS.iter().any(|key| joined.ends_with(key)) || is_number_of_tokens(&parts) {
        return false;
    }
    let is_end =
        |part: &String| ENDS.iter().any(|end| part.ends_with(end)) && !WORDS.contains(&part.as_str());
    ANYWHERE.iter().any(|word| joined.contains(word))
        || parts.last().is_some_and(|part| LASTS.contains(&part.as_str()))
        || parts.iter().any(|part| PARTS.contains(&part.as_str()) || is_end(part))
}

fn is_number_of_tokens(parts: &[String]) -> bool {
    parts.last().is_some_and(|part| part == "TOKENS")
        && parts.iter().any(|part| NUMBERS.contains(&part.as_str()))
}

/// The parts of a name, in capital letters: split at separators, and between a small letter and a capital one.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_small = false;
    for c in name.chars() {
        let begins = !c.is_ascii_alphanumeric() || (was_small && c.is_ascii_uppercase());
        was_small = c.is_ascii_lowercase() || c.is_ascii_digit();
        if begins {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            part.push(c.to_ascii_uppercase());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "PASSWORD",
            "password",
            "DB_PASSWORD",
            "PGPASSWORD",
            "db.password",
            "Dspring.datasource.password",
            "pass",
            "DBPASS",
            "passphrase",
            "secret",
            "clientSecret",
            "client_secret",
            "AWS_SECRET_ACCESS_KEY",
            "token",
            "GITHUB_TOKEN",
            "accessToken",
            "authToken",
            "_authToken",
            "X-Auth-Token",
            "PRIVATE-TOKEN",
            "api-key",
            "apikey",
            "apiKey",
            "API_KEY",
            "key",
            "auth",
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "jwt",
            "credentials",
            "DB_PWD",
            "eTOKEN",
            "ConnectionString",
            "pin",
            "so-pin",
            "otp",
            "sas",
            "accountKey",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn other_names() {
        for name in [
            "",
            "user",
            "port",
            "host",
            "OLDPWD",
            "PATH",
            "HOME",
            "password-file",
            "PASSWORD_FILE",
            "token-url",
            "auth-type",
            "SSH_AUTH_SOCK",
            "password-stdin",
            "author",
            "XAUTHORITY",
            "keyboard",
            "monkey",
            "bypass",
            "passthrough",
            "tokenizer",
            "config",
            "env",
            "pin-memory",
            "otp-release",
            "spin",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn switches() {
        for name in ["no-password", "enable-auth", "SKIP_TOKEN"] {
            assert!(!takes_secret(name) && has_secret(name, "hunter2"), "{name}");
            assert!(
                !has_secret(name, "true") && !has_secret(name, "10") && !has_secret(name, "'No'"),
                "{name}"
            );
        }
        assert!(takes_secret("password") && has_secret("password", "true"));
        assert!(!has_secret("no-user", "hunter2"));
        assert!(
            has_secret("PWD", "hunter2") && !has_secret("PWD", "/home/me") && !has_secret("PWD", "$(pwd)")
        );
    }
}
