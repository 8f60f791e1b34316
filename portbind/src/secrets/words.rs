//! Masks secrets in the words of a command.

use super::options::{self, Takes};
use super::programs::Program;
use super::{forms, names, places, shell, slashes};

/// The arguments of a program without their secrets, with the same number of words; `None` if there are no secrets.
#[must_use]
pub fn mask(args: &[String]) -> Option<Vec<String>> {
    // Most arguments have no secret, and this function runs for every process of every refused bind.
    if !args.iter().any(|arg| may_hold(arg)) {
        return None;
    }
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let masked = mask_words(&words, DEPTH);
    (masked.iter().zip(args).any(|(masked, arg)| masked != arg)).then_some(masked)
}

/// Masks the secrets in a text that have a form of their own: a URL, a known token, a name and its value.
#[must_use]
pub fn mask_text(text: &str) -> String {
    forms::mask(text)
}

/// Whether a word calls for a closer check, of itself or of the words after it.
fn may_hold(word: &str) -> bool {
    forms::has_trigger(word)
        || Program::find(word).is_some()
        || places::is_secret_name(word)
        || word.contains(char::is_whitespace)
        || word.strip_prefix('-').is_some_and(|rest| Takes::short(rest).is_some() || options::is_common(rest))
        || slashes::mask(word, None).is_some()
}

/// The deepest nesting of commands within words that is searched, `sh -c "sh -c 'command'"`; quotes count as one more
/// level.
const DEPTH: u32 = 8;

fn mask_words(words: &[&str], depth: u32) -> Vec<String> {
    let places = places::passwords(words);
    let mut reader = Reader { program: None, expected: None, depth };
    let preceding = std::iter::once(&"").chain(words);
    let mask = |(at, (before, word)): (usize, (&&str, &&str))| {
        let is_value = depth == DEPTH && reader.expected.is_none() && !is_before_code(before);
        match assigned(word).filter(|_| is_value) {
            _ if places.contains(&at) => Takes::Secret.mask(word),
            // The value of a whole argument extends to its end, blanks included.
            Some((name, value)) => format!("{name}={}", Takes::Secret.mask(value)),
            None => reader.next(word),
        }
    };
    preceding.zip(words).enumerate().map(mask).collect()
}

/// Whether an option takes program text: `-c` of shells and Python, `-e` of Perl and node.
fn is_before_code(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| {
        rest.len() <= 4 && rest.bytes().all(|byte| byte.is_ascii_lowercase()) && rest.ends_with(['c', 'e'])
    })
}

/// Name and value of a word that assigns a secret.
fn assigned(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    (is_name && !value.is_empty() && names::has_secret(name.trim_start_matches('-'), value))
        .then_some((name, value))
}

/// The state while reading the words of a command.
struct Reader {
    /// The last known program among the words.
    program: Option<&'static Program>,
    /// The kind of value that the previous word takes.
    expected: Option<Takes>,
    depth: u32,
}

impl Reader {
    /// Masks the next word.
    fn next(&mut self, word: &str) -> String {
        if let Some(takes) = self.expected.take().filter(|takes| !is_option(word) && takes.is_taken(word)) {
            if takes.is_before(word) {
                self.expected = Some(takes);
                return word.to_owned();
            }
            return takes.mask(word);
        }
        if let Some(known) = Program::find(word) {
            self.program = Some(known);
        }
        let masked = word.strip_prefix('-').and_then(|rest| self.option(word, rest));
        masked.or_else(|| slashes::mask(word, self.program)).unwrap_or_else(|| {
            self.expected = self.expected.or_else(|| Takes::field(word));
            mask_inside(word, self.depth)
        })
    }

    /// Masks an option, if it is known; `rest` is the word without its hyphen.
    fn option(&mut self, word: &str, rest: &str) -> Option<String> {
        let short = self.program.and_then(|program| program.short(rest)).or_else(|| Takes::short(rest));
        if let Some((takes, value)) = short {
            if value.is_empty() {
                self.expected = takes.next();
            }
            return Some(format!("{}{}", &word[..word.len() - value.len()], takes.mask(value)));
        }
        let is_name = |name: &str| !name.contains(|c: char| c == ':' || c.is_whitespace());
        let long = |name| self.program.and_then(|program| program.long(name));
        if let Some((name, value)) = rest.split_once('=').filter(|(name, _)| is_name(name)) {
            let masked = match long(name)
                .or_else(|| Takes::of_value(name, value))
                .filter(|takes| takes.is_taken(value))
            {
                Some(takes) => takes.mask(value),
                None => mask_inside(value, self.depth),
            };
            return Some(format!("-{name}={masked}"));
        }
        if is_name(rest) {
            self.expected = long(rest).or_else(|| Takes::by_common_name(rest)).and_then(Takes::next);
        }
        self.expected.is_some().then(|| word.to_owned())
    }
}

/// Whether a word is an option, and not the value of one. A single hyphen with several letters may begin a password as
/// well, and so may two hyphens without a valid name.
fn is_option(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('-') else { return false };
    let name = rest.trim_start_matches('-').split('=').next().unwrap_or_default();
    let is_named = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte));
    rest.starts_with('-') && (name.is_empty() || is_named)
        || rest.chars().count() == 1
        || Takes::by_name(name).is_some()
}

/// Masks the secrets that a word's own form reveals; in a command of several words, also the secrets in these words.
fn mask_inside(word: &str, depth: u32) -> String {
    if depth == 0 || !word.contains(char::is_whitespace) {
        return forms::mask(word);
    }
    let tokens = shell::tokens(word);
    let words: Vec<&str> = tokens.iter().map(|(_, word)| *word).collect();
    let masked = match words[..] {
        [only] if only.len() == word.len() => vec![in_quotes(only, depth)],
        _ => mask_words(&words, depth - 1),
    };
    let joined: String = tokens.iter().zip(&masked).flat_map(|((gap, _), word)| [*gap, word]).collect();
    forms::mask(&joined)
}

/// Masks the text between the quotes of a word.
fn in_quotes(word: &str, depth: u32) -> String {
    for quote in ['\'', '"'] {
        let inside = word.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inside) = inside {
            return format!("{quote}{}{quote}", mask_inside(inside, depth - 1));
        }
    }
    forms::mask(word)
}
