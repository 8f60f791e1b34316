//! The answers of `who`, `check`, `free` and `wait`.

use std::io;

use super::format::Document;
use super::jsonl;
use super::style::Style;
use super::text::answer as text;
use super::text::freed::freed as text_of_freed;
use crate::ports::{Check, Freed, Wait, Who};
use crate::wire::answer as line;

/// The answer of a verb.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// The answer of `portbind who`.
    Who(&'a Who),
    /// The answer of `portbind check`.
    Check(&'a Check),
    /// The answer of `portbind free`.
    Freed(&'a Freed),
    /// The answer of `portbind wait`.
    Wait(&'a Wait),
}

impl Document for Answer<'_> {
    fn text(&self, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let text = match self {
            Self::Who(who) => text::who(who, style),
            Self::Check(check) => text::check(check, style),
            Self::Freed(freed) => text_of_freed(freed, style),
            Self::Wait(wait) => text::wait(wait, style),
        };
        out.write_all(text.as_bytes())
    }

    fn json(&self, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        match *self {
            Self::Who(who) => jsonl::line(line::Who::from(who), style.secrets, out),
            Self::Check(check) => jsonl::line(line::Check::from(check), style.secrets, out),
            Self::Freed(freed) => jsonl::line(line::Freed::from(freed), style.secrets, out),
            Self::Wait(wait) => jsonl::line(line::Wait::from(wait), style.secrets, out),
        }
    }
}
