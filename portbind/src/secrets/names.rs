//! Names that say of their value that it is a secret.

/// What makes a name one of a secret, anywhere in it; capital letters, separators left out.
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
/// The same as a whole part of it.
const PARTS: [&str; 15] = [
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
];
/// Keys that are no secrets.
const OPEN_KEYS: [&str; 5] = ["PUBLICKEY", "PRIMARYKEY", "FOREIGNKEY", "SORTKEY", "PARTITIONKEY"];
/// Parts of names of numbers of tokens: `max-tokens`.
const NUMBERS: [&str; 5] = ["MAX", "MIN", "N", "NUM", "TOTAL"];
/// The same as the last part of it: `pin-memory` and `otp-release` are about other things.
const LASTS: [&str; 5] = ["PIN", "OTP", "TOTP", "SAS", "PAT"];
/// The same at the end of a part.
const ENDS: [&str; 3] = ["PASS", "TOKEN", "PWD"];
/// Parts that only end like that.
const WORDS: [&str; 5] = ["BYPASS", "COMPASS", "ENCOMPASS", "OVERPASS", "OLDPWD"];
/// Last parts of names whose values are about a secret, and none.
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
/// First parts of names of switches, which take no value, or one of [`PLAIN`].
const SWITCHES: [&str; 8] = ["NO", "DISABLE", "SKIP", "WITHOUT", "ENABLE", "REQUIRE", "ALLOW", "USE"];
/// Values of switches; no secrets. So are numbers of fewer than four digits: a PIN has more.
const PLAIN: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "always", "never"];
/// Bytes of the longest name that is looked at.
const LONGEST: usize = 256;

/// Whether an option of this name has a secret in the next word: `password`, but neither `password-file` nor `no-auth`.
pub(super) fn takes_secret(name: &str) -> bool {
    is_secret(name) && !is_switch(name)
}

/// Whether this name says so without the rest of it: `password`, but not `token`, which is also part of other names.
pub(super) fn is_plainly_secret(name: &str) -> bool {
    is_secret(name) && ANYWHERE.iter().any(|word| parts(name).concat().contains(word))
}

/// Whether this value of a variable, option, field or header of this name is a secret. That of a switch is none where
/// it only sets the switch: `USE_TOKEN=true`.
pub(super) fn has_secret(name: &str, value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    let is_other = is_switch(name) && is_setting(value) || name == "PWD" && is_folder(value);
    is_secret(name) && !is_other
}

/// Whether a value only sets a switch: `true`, `no`.
pub(super) fn is_setting(value: &str) -> bool {
    let is_number = value.len() < 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    PLAIN.iter().any(|plain| value.eq_ignore_ascii_case(plain)) || is_number
}

/// Whether a value is that of the shell's `PWD`, and no password of ODBC's: an absolute path, or what a shell makes one of.
fn is_folder(value: &str) -> bool {
    value.is_empty() || value.starts_with(['/', '$', '`', '.'])
}

fn is_switch(name: &str) -> bool {
    parts(name).first().is_some_and(|part| SWITCHES.contains(&part.as_str()))
}

/// Whether a variable, option, field or header of this name holds a secret, if it has a value: `DB_PASSWORD`,
/// `api-key`, `accessToken`, `X-Auth-Token`, but not `PASSWORD_FILE`. Of `PWD` it depends on the
/// value ([`has_secret`]).
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

/// The parts of a name in capital letters: between separators, and from a small letter to a capital one.
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
