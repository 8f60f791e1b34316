//! Errors of the command line, printed without control characters that a terminal or CI system would act on.
//!
//! clap repeats the words that it could not understand. These words can come from elsewhere (a file name, a variable of
//! a CI job), so they are escaped before clap puts them into its message.

use std::fmt::Write as _;

use clap::error::{ContextKind, ContextValue};

use crate::escape::is_hidden;

/// The parts of a clap error that contain a word of the command line.
const WORDS: [ContextKind; 4] = [
    ContextKind::InvalidArg,
    ContextKind::InvalidValue,
    ContextKind::InvalidSubcommand,
    ContextKind::TrailingArg,
];
/// The parts that may repeat the word with colours around it, where it can no longer be recognized.
const ADVICE: [ContextKind; 5] = [
    ContextKind::Suggested,
    ContextKind::SuggestedArg,
    ContextKind::SuggestedCommand,
    ContextKind::SuggestedSubcommand,
    ContextKind::SuggestedValue,
];

/// Prints help to standard output, and an error to standard error.
pub fn print(mut error: clap::Error) {
    let to_stderr = error.use_stderr();
    if to_stderr {
        escape_words(&mut error);
    }
    let text = harmless(&error.render().ansi().to_string());
    if to_stderr {
        anstream::eprint!("{text}");
    } else {
        // A failed write means that the reader closed the stream.
        let _printed = std::io::Write::write_all(&mut anstream::stdout(), text.as_bytes());
    }
}

/// Escapes the words of the command line in the error.
fn escape_words(error: &mut clap::Error) {
    let mut is_hostile = false;
    for kind in WORDS {
        let escaped = match error.get(kind) {
            Some(ContextValue::String(word)) => ContextValue::String(escape(word, &mut is_hostile)),
            Some(ContextValue::Strings(words)) => {
                ContextValue::Strings(words.iter().map(|word| escape(word, &mut is_hostile)).collect())
            }
            _ => continue,
        };
        error.insert(kind, escaped);
    }
    if is_hostile {
        for kind in ADVICE {
            error.remove(kind);
        }
    }
}

/// Escapes a word, which clap puts in single quotes.
fn escape(word: &str, is_hostile: &mut bool) -> String {
    let mut escaped = String::new();
    for c in word.chars() {
        if is_hidden(c) || c == '\'' {
            *is_hostile = true;
            let _infallible =
                if c == '\'' { write!(escaped, "\\'") } else { write!(escaped, "\\u{{{:x}}}", u32::from(c)) };
        } else {
            escaped.push(c);
        }
    }
    *is_hostile |= word.contains("##") || word.contains("::");
    escaped
}

/// The whole message: keeps clap's lines and colours, and escapes all other control characters.
fn harmless(text: &str) -> String {
    let mut kept = String::new();
    for c in text.chars() {
        if is_hidden(c) && !matches!(c, '\n' | '\x1b') {
            let _infallible = write!(kept, "\\u{{{:x}}}", u32::from(c));
        } else {
            kept.push(c);
        }
    }
    kept.replace("##", "#\\x23")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use proptest::prelude::*;

    use super::*;
    use crate::cli::Cli;

    fn message(words: &[&str]) -> String {
        let mut error =
            Cli::try_parse_from(std::iter::once("portbind").chain(words.iter().copied())).unwrap_err();
        escape_words(&mut error);
        harmless(&error.render().to_string())
    }

    #[test]
    fn words_are_echoed_and_do_not_act() {
        for (words, expected) in [
            (&["trace", "-P", "x\n::error::y"][..], "invalid value 'x\\u{a}::error::y' for"),
            (&["trace", "--\x1b[2Jx"], "unexpected argument '--\\u{1b}[2Jx' found"),
            (&["tra\u{202e}ce"], "unrecognized subcommand 'tra\\u{202e}ce'"),
            (&["trace", "-P", "it's fine' for"], "invalid value 'it\\'s fine\\' for' for"),
            (&["trace", "-o", "##vso[x]"], "invalid value '#\\x23vso[x]' for"),
            (&["trace", "-o", "jsom"], "a similar value exists: 'json'"),
        ] {
            let message = message(words);
            assert!(message.contains(expected), "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_word_acts(word in any::<String>(), place in 0_usize..4) {
            let words: [&[&str]; 4] =
                [&[&word], &["trace", "-P", &word], &["who", &word, &word, &word], &["trace", "--comm", &word, "--x"]];
            if word.starts_with('-') && "--help-hV".contains(&word) {
                return Ok(());
            }
            let Err(mut error) = Cli::try_parse_from(std::iter::once("portbind").chain(words[place].iter().copied()))
            else { return Ok(()) };
            if !error.use_stderr() {
                return Ok(());
            }
            escape_words(&mut error);
            let message = harmless(&error.render().to_string());
            prop_assert!(!message.chars().any(|c| c != '\n' && is_hidden(c)), "{}", message);
            prop_assert!(!message.lines().any(|line| line.trim_start().starts_with("::")), "{}", message);
            prop_assert!(!message.contains("##"), "{}", message);
        }
    }
}
