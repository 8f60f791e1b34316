//! JSON: one object per line.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::format::{Document, EventFormat};
use super::style::Style;
use crate::escape::is_hidden;
use crate::secrets::Secrets;
use crate::wire::{self, Refusal, Release, Repeat, Summary};

/// Writes each event as one line. Of the style, it uses only the secrets.
#[derive(Debug, Default)]
pub(super) struct JsonFormat;

impl EventFormat for JsonFormat {
    fn refusal(&mut self, refusal: Refusal<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        line(refusal, style.secrets, out)
    }

    fn release(&mut self, release: Release<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        line(release, style.secrets, out)
    }

    fn repeat(&mut self, repeat: Repeat<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        line(repeat, style.secrets, out)
    }

    fn summary(&mut self, summary: &Summary, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        line(summary.clone(), style.secrets, out)
    }

    fn document(
        &mut self,
        document: &dyn Document,
        style: &Style,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        document.json(style, out)
    }
}

/// Writes a line, and masks secrets unless they are to be shown.
pub(crate) fn line(mut object: impl wire::Line, secrets: Secrets, out: &mut dyn io::Write) -> io::Result<()> {
    if secrets == Secrets::Masked {
        object.mask();
    }
    as_it_is(&object, out)
}

/// Most lines are shorter than this many bytes.
const USUAL: usize = 4096;

fn as_it_is(object: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut line = Vec::with_capacity(USUAL);
    object.serialize(&mut Serializer::with_formatter(&mut line, Harmless))?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Writes as JSON escapes what a terminal or a CI system would act on anywhere in a line. The values stay the same. A
/// `::` is harmless here: it has an effect only at the start of a line.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: io::Write + ?Sized,
    {
        // Fast path, which applies to nearly all fragments.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !fragment.contains("##") {
            return out.write_all(fragment.as_bytes());
        }
        let mut start = 0;
        let mut previous = None;
        for (index, c) in fragment.char_indices() {
            if is_hidden(c) || (c == '#' && previous == Some('#')) {
                out.write_all(&fragment.as_bytes()[start..index])?;
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
                start = index + c.len_utf8();
                previous = None;
            } else {
                previous = Some(c);
            }
        }
        out.write_all(&fragment.as_bytes()[start..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_survive_and_do_no_harm(text in "(\\PC|[#\\[\"\\\\\u{7f}\u{9b}\u{202e}\u{e0041}\n]){0,20}") {
            let mut out = Vec::new();
            as_it_is(&text, &mut out).unwrap();
            let shown = String::from_utf8(out).unwrap();
            prop_assert!(!shown.trim_end_matches('\n').chars().any(is_hidden));
            prop_assert!(!shown.contains("##"));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }
}
