//! Prints what the helpers answer.

use std::io;

use super::jsonl;
use super::style::Style;
use super::text::answer as text;
use super::text::freed::freed as text_of_freed;
use crate::diagnosis::answer::{Check, Freed, Wait, Who};
use crate::wire::answer as json;

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum AnswerFormat {
    /// A few lines, for people
    #[default]
    Text,
    /// One JSON object on a line
    Json,
}

/// What a helper answers.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// Of `portbind who`.
    Who(&'a Who),
    /// Of `portbind check`.
    Check(&'a Check),
    /// Of `portbind free`.
    Freed(&'a Freed),
    /// Of `portbind wait`.
    Wait(&'a Wait),
}

impl Answer<'_> {
    /// Writes it whole and flushes it.
    ///
    /// # Errors
    ///
    /// Those of the writer, unchanged: a closed pipe is [`io::ErrorKind::BrokenPipe`].
    pub fn write(&self, format: AnswerFormat, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
        match (format, self) {
            (AnswerFormat::Text, answer) => out.write_all(answer.text(style).as_bytes())?,
            (AnswerFormat::Json, Self::Who(who)) => jsonl::line(json::Who::from(*who), style.secrets, out)?,
            (AnswerFormat::Json, Self::Check(check)) => {
                jsonl::line(json::Check::from(*check), style.secrets, out)?;
            }
            (AnswerFormat::Json, Self::Freed(freed)) => {
                jsonl::line(json::Freed::from(*freed), style.secrets, out)?;
            }
            (AnswerFormat::Json, Self::Wait(wait)) => {
                jsonl::line(json::Wait::from(*wait), style.secrets, out)?;
            }
        }
        out.flush()
    }

    /// The answer for people.
    #[must_use]
    pub fn text(&self, style: &Style) -> String {
        match self {
            Self::Who(who) => text::who(who, style),
            Self::Check(check) => text::check(check, style),
            Self::Freed(freed) => text_of_freed(freed, style),
            Self::Wait(wait) => text::wait(wait, style),
        }
    }
}
