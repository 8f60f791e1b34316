//! The formats, one row each.

mod brief;

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::format::EventFormat;
use super::jsonl::JsonFormat;
use super::text::TextFormat;
use brief::BriefFormat;

/// Declares the formats. A new format needs only a file with its type in `formats/`, and here its module and a row.
macro_rules! formats {
    ($($(#[$doc:meta])+ $name:ident = $word:literal, $writer:ty, [$($verbs:ident $help:expr),+];)+) => {
        /// The format of events and answers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[$doc])+ $name,)+
        }

        const ROWS: &[Row] = &[$(Row {
            format: Format::$name,
            word: $word,
            offered: &[$((Verbs::$verbs, $help)),+],
        },)+];

        impl Format {
            /// All formats.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name),+];

            /// The writer for this format.
            pub(super) fn writer(self) -> Box<dyn EventFormat> {
                match self {
                    $(Self::$name => Box::new(<$writer>::default()),)+
                }
            }
        }
    };
}

formats! {
    /// Several lines, as text.
    Text = "text", TextFormat, [
        Events Some("A few lines an event, for people"), Answers Some("A few lines, for people"),
        Recordings Some("For people"), Findings None
    ];
    /// Columns, as text.
    Brief = "brief", BriefFormat, [Events Some("One line an event, in columns")];
    /// JSON objects.
    Json = "json", JsonFormat, [
        Events Some("One JSON object a line"), Answers Some("One JSON object on a line"),
        Recordings Some("One JSON object a line"), Findings None
    ];
}

/// Verbs that share a set of formats and their descriptions; parses their `--output-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verbs {
    /// `trace`.
    Events,
    /// `who`, `check`, `wait`, `free`.
    Answers,
    /// `explain`, `compare`.
    Recordings,
    /// `report`, `doctor`.
    Findings,
}

struct Row {
    format: Format,
    word: &'static str,
    /// The verbs that offer the format, and its description in `--help`.
    offered: &'static [(Verbs, Option<&'static str>)],
}

impl Verbs {
    fn values(self) -> impl Iterator<Item = PossibleValue> {
        ROWS.iter().filter_map(move |row| {
            let (_, help) = row.offered.iter().find(|(verbs, _)| *verbs == self)?;
            Some(PossibleValue::new(row.word).help(*help))
        })
    }
}

impl TypedValueParser for Verbs {
    type Value = Format;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        word: &OsStr,
    ) -> Result<Format, clap::Error> {
        let of_word = |word| ROWS.iter().find(|row| row.word == word).map_or(Format::Text, |row| row.format);
        let parser = PossibleValuesParser::new(self.values()).map(move |word: String| of_word(word));
        parser.parse_ref(command, argument, OsStr::new(&*word.to_string_lossy()))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.values()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_by_name() {
        let command = clap::Command::new("portbind");
        let parse = |verbs: Verbs, word| verbs.parse_ref(&command, None, OsStr::new(word)).ok();
        for verbs in [Verbs::Events, Verbs::Answers, Verbs::Recordings, Verbs::Findings] {
            assert_eq!(
                (parse(verbs, "text"), parse(verbs, "json")),
                (Some(Format::Text), Some(Format::Json))
            );
            let brief = (verbs == Verbs::Events).then_some(Format::Brief);
            assert_eq!(parse(verbs, "brief"), brief);
            assert!(["yaml", "TEXT", ""].into_iter().all(|word| parse(verbs, word).is_none()));
        }
    }
}
