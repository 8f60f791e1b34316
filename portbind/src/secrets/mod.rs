//! Passwords and tokens in the arguments of programs, and how they are kept out of what is written.
//!
//! Recordings are uploaded, pages are published, logs are read by many: a secret in an argument is replaced by
//! [`MASK`] where a process is written, unless `--show-secrets` is given. What counts as a secret is decided by the
//! name in front of it ([`names`]), by the option of a known program ([`options`]), or by its own form ([`forms`]).
//! A word too much is masked rather than one too few: nothing of a diagnosis depends on it.

mod forms;
mod names;
mod options;
#[cfg(test)]
mod tests;

use options::{Program, Takes};

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Whether secrets are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// As [`MASK`].
    #[default]
    Masked,
    /// As they are.
    Shown,
}

/// Arguments of a program without their secrets, as many words as before; `None` if there are no secrets.
#[must_use]
pub fn mask(args: &[String]) -> Option<Vec<String>> {
    // Most have none, and this is asked for every process of every refusal.
    if !args.iter().any(|arg| may_hold(arg)) {
        return None;
    }
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let masked = mask_words(&words, Nested::Yes);
    (masked.iter().zip(args).any(|(masked, arg)| masked != arg)).then_some(masked)
}

/// A text without the secrets that its own form tells: a URL, a known token, a name and its value.
#[must_use]
pub fn mask_text(text: &str) -> String {
    forms::mask(text)
}

/// Whether a word is a reason to look closer: at it, or at those behind it.
fn may_hold(word: &str) -> bool {
    forms::has_trigger(word) || Program::find(word).is_some() || word.contains(char::is_whitespace)
}

/// Whether the words of a word are looked at: a shell gets a whole command in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nested {
    Yes,
    No,
}

fn mask_words(words: &[&str], nested: Nested) -> Vec<String> {
    let mut program = None;
    let mut expected = None;
    words.iter().map(|word| mask_next(word, &mut program, &mut expected, nested)).collect()
}

/// Masks the next word. `expected` is what the option before it takes, `program` the last known one that was named.
fn mask_next(
    word: &str,
    program: &mut Option<&'static Program>,
    expected: &mut Option<Takes>,
    nested: Nested,
) -> String {
    if let Some(takes) = expected.take()
        && !is_option(word)
    {
        return takes.mask(word);
    }
    if let Some(known) = Program::find(word) {
        *program = Some(known);
    }
    if let Some(rest) = word.strip_prefix('-') {
        if let Some((takes, value)) = program.and_then(|program| program.short(rest)) {
            return match value {
                "" => {
                    *expected = takes.next();
                    word.to_owned()
                }
                value => format!("{}{}", &word[..word.len() - value.len()], takes.mask(value)),
            };
        }
        let is_name = |name: &str| !name.contains(char::is_whitespace);
        if let Some((name, value)) = rest.split_once('=').filter(|(name, _)| is_name(name)) {
            let takes =
                program.and_then(|program| program.long(name)).or_else(|| Takes::of_value(name, value));
            return match takes {
                Some(takes) => format!("-{name}={}", takes.mask(value)),
                None => format!("-{name}={}", mask_inside(value, nested)),
            };
        }
        if is_name(rest) {
            *expected = program.and_then(|program| program.long(rest)).or_else(|| Takes::by_name(rest));
        }
        if expected.is_some() {
            return word.to_owned();
        }
    }
    mask_inside(word, nested)
}

/// An option and no value of one. A single hyphen with several letters behind it may be a password as well.
fn is_option(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('-') else { return false };
    let name = rest.trim_start_matches('-').split('=').next().unwrap_or_default();
    rest.starts_with('-') || rest.chars().count() == 1 || Takes::by_name(name).is_some()
}

/// Masks what the form of a word tells, and if it is a command of several words, those.
fn mask_inside(word: &str, nested: Nested) -> String {
    if nested == Nested::No || !word.contains(char::is_whitespace) {
        return forms::mask(word);
    }
    let tokens = options::tokens(word);
    let words: Vec<&str> = tokens.iter().map(|(_, word)| *word).collect();
    let masked = mask_words(&words, Nested::No);
    let joined: String = tokens.iter().zip(&masked).flat_map(|((gap, _), word)| [*gap, word]).collect();
    forms::mask(&joined)
}
