//! The words of a step, taken one after the other.

use std::str::FromStr;

use anyhow::{Context as _, bail};
use serde::de::value::Error;
use serde::de::{DeserializeOwned, IntoDeserializer as _};

/// The remaining words of a step.
pub(super) struct Words {
    left: Vec<String>,
}

impl Words {
    /// Splits a text at its blanks, except for blanks between double quotes; the quotes are removed.
    pub(super) fn split(text: &str) -> anyhow::Result<Self> {
        let mut left = Vec::new();
        let mut word: Option<String> = None;
        let mut quoted = false;
        for letter in text.chars() {
            match letter {
                '"' => {
                    quoted = !quoted;
                    word.get_or_insert_default();
                }
                ' ' if !quoted => left.extend(word.take()),
                _ => word.get_or_insert_default().push(letter),
            }
        }
        if quoted {
            bail!("a double quote is not closed");
        }
        left.extend(word);
        Ok(Self { left })
    }

    /// Takes the next word; `what` describes it in the error.
    pub(super) fn next(&mut self, what: &str) -> anyhow::Result<String> {
        if self.left.is_empty() {
            bail!("{what} is missing");
        }
        Ok(self.left.remove(0))
    }

    /// Takes the next word as a value of another type.
    pub(super) fn parse<T: FromStr>(&mut self, what: &str) -> anyhow::Result<T> {
        let word = self.next(what)?;
        word.parse().map_err(|_| anyhow::anyhow!("\"{word}\" is not {what}"))
    }

    /// The next word, which is not removed.
    pub(super) fn peek(&self) -> Option<&str> {
        self.left.first().map(String::as_str)
    }

    /// Takes the next word, which must be `word`.
    pub(super) fn skip(&mut self, word: &str) -> anyhow::Result<()> {
        let found = self.next(&format!("\"{word}\""))?;
        if found != word {
            bail!("\"{found}\" stands in the place of \"{word}\"");
        }
        Ok(())
    }

    /// Takes a keyword and the word after it, which must be the last ones; `None` without the keyword.
    pub(super) fn last_pair(&mut self, keyword: &str) -> anyhow::Result<Option<String>> {
        let Some(at) = self.left.iter().position(|word| word == keyword) else { return Ok(None) };
        match self.left.split_off(at).as_slice() {
            [_, value] => Ok(Some(value.clone())),
            [_] => bail!("\"{keyword}\" is the last word"),
            [_, _, surplus, ..] => bail!("\"{surplus}\" is one word too many"),
            [] => Ok(None),
        }
    }

    /// Takes all remaining words.
    pub(super) fn rest(&mut self) -> Vec<String> {
        std::mem::take(&mut self.left)
    }

    /// Fails if a word is left.
    pub(super) fn finish(&self) -> anyhow::Result<()> {
        match self.peek() {
            Some(word) => bail!("\"{word}\" is one word too many"),
            None => Ok(()),
        }
    }
}

/// Parses a word as a variant of an enumeration; the error lists all variants.
pub(super) fn one_of<T: DeserializeOwned>(word: &str) -> anyhow::Result<T> {
    let value: Result<T, Error> = T::deserialize(word.into_deserializer());
    value.with_context(|| format!("\"{word}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_separate_words_and_quotes_keep_blanks() {
        let split = |text: &str| Words::split(text).map(|mut words| words.rest());
        assert_eq!(
            split(" bind  old path:\"it's stale\" \"\" ").unwrap(),
            ["bind", "old", "path:it's stale", ""]
        );
        assert!(split("").unwrap().is_empty());
        assert_eq!(split("bind \"old").unwrap_err().to_string(), "a double quote is not closed");
    }

    #[test]
    fn a_pair_is_taken_only_from_the_end() {
        let pair =
            |text: &str| Words::split(text).unwrap().last_pair("->").map_err(|error| error.to_string());
        assert_eq!(pair("listen new -> EINVAL"), Ok(Some("EINVAL".to_owned())));
        assert_eq!(pair("listen new"), Ok(None));
        assert_eq!(pair("listen new ->"), Err("\"->\" is the last word".to_owned()));
        assert_eq!(pair("listen new -> EINVAL now"), Err("\"now\" is one word too many".to_owned()));
    }
}
