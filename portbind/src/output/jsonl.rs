//! JSON: one object a line.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::style::Style;
use crate::escape::is_hidden;
use crate::event::{Refusal, Release, Repeat};
use crate::secrets::Secrets;
use crate::wire::{self, Summary};

/// Writes a refusal as one line. Of the style only the secrets matter.
///
/// # Errors
///
/// Those of the writer, unchanged.
pub fn write(refusal: &Refusal, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    line(wire::Refusal::from(refusal), style.secrets, out)
}

/// Writes the end of a conflict as one line.
///
/// # Errors
///
/// Those of the writer, unchanged.
pub fn write_release(release: &Release, out: &mut impl io::Write) -> io::Result<()> {
    line(wire::Release::from(release), Secrets::Masked, out)
}

/// Writes how often the same was refused again as one line.
///
/// # Errors
///
/// Those of the writer, unchanged.
pub fn write_repeat(repeat: &Repeat, out: &mut impl io::Write) -> io::Result<()> {
    line(wire::Repeat::from(repeat), Secrets::Masked, out)
}

/// Writes the account of a run as one line.
///
/// # Errors
///
/// Those of the writer, unchanged.
pub fn write_summary(summary: &Summary, out: &mut impl io::Write) -> io::Result<()> {
    line(summary.clone(), Secrets::Masked, out)
}

/// Writes a line, without its secrets unless they are to be shown.
pub(crate) fn line(
    mut object: impl wire::Line,
    secrets: Secrets,
    out: &mut impl io::Write,
) -> io::Result<()> {
    if secrets == Secrets::Masked {
        object.mask();
    }
    as_it_is(&object, out)
}

/// Bytes of which most lines have fewer.
const USUAL: usize = 4096;

fn as_it_is(object: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    let mut line = Vec::with_capacity(USUAL);
    object.serialize(&mut Serializer::with_formatter(&mut line, Harmless))?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Writes as JSON escapes what a terminal or a CI system would act upon wherever it stands in a
/// line. The values stay the same. A `::` is harmless here: it acts at the start of a line only.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: io::Write + ?Sized,
    {
        // Nearly all are so, and this is seen in a fraction of the time.
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
