//! Makes strings that other programs chose safe to print.
//!
//! A process can choose a name that moves the cursor, reverses the reading direction, reads as a command to the CI
//! system that shows the log (GitHub: `::error::`, `##[group]`; Azure: `##vso[...]`; TeamCity: `##teamcity[...]`), or
//! continues the sentence around it (`x: kill -9 1`). [`Escaped`] prints such a string harmlessly on one line, in
//! quotes unless it is plain, so that no two strings print the same.
//!
//! Build a sentence with [`Escaped`], while the string is still known: in the finished sentence, the name can no longer
//! be distinguished from the words. [`Prose`] prints a finished sentence: it changes nothing in a sentence built with
//! [`Escaped`], and leaves nothing that acts on a terminal or a CI system in a sentence read from a file.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::Ipv6Addr;
use std::path::Path;

#[cfg(test)]
mod tests;

/// A foreign string in a sentence, a line or a column: a name, a path, an argument.
///
/// A plain string (letters, digits and `._/@:+-%=~`, none of them hidden) is printed unchanged. Any other string is
/// printed in double quotes, with backslash escapes. The printed form holds no control, bidi or invisible character, no
/// `::` and no `##`; it neither begins nor ends with a colon, and it can be converted back into the string.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

/// A finished sentence, printed unchanged except for hidden characters, `::` outside of an IPv6 address in square
/// brackets (`[::]:8080`), `##`, and a colon at either end. Backslashes stay: the sentence already has escapes of
/// names.
#[derive(Clone, Copy, Debug)]
pub struct Prose<'a>(pub &'a str);

/// The name of a test: like [`Escaped`], but square brackets, and a `::` between two parts of the name, count as plain
/// (`tests/test_api.py::test_x[1]`). A CI system acts on `::` at the start of a line only: never print a test name
/// there.
#[derive(Clone, Copy, Debug)]
pub struct TestName<'a>(pub &'a str);

/// A line of a log: hidden characters, backslashes and `##` are escaped, colons stay (`:::3000`), and there are no
/// quotes. A CI system acts on `::` at the start of a line only: never print a log line there.
#[derive(Clone, Copy, Debug)]
pub struct LogLine<'a>(pub &'a str);

/// A foreign string in an element of its own on a page, where no CI system searches for commands: hidden characters and
/// backslashes are escaped; colons and `#` stay.
#[derive(Clone, Copy, Debug)]
pub struct Visible<'a>(pub &'a str);

/// A path, printed like [`Escaped`]; bytes that are not UTF-8 are replaced.
#[must_use]
pub fn path(path: &Path) -> String {
    Escaped(&path.to_string_lossy()).to_string()
}

impl Escaped<'_> {
    /// The printed form in at most `width` columns; a longer form ends with `…`, inside of its quotes.
    #[must_use]
    pub fn cut(&self, width: usize) -> String {
        cut_quoted(&self.to_string(), width)
    }

    /// Like [`Self::cut`], for a column of a table: blanks are printed as `␣`, so that the number of columns stays the
    /// same, and a string that is plain except for blanks needs no quotes.
    #[must_use]
    pub fn column(&self, width: usize) -> String {
        let joined = self.0.replace(' ', "_");
        let is_plain_but_blanks = is_plain(&joined) && !joined.is_empty();
        let mut shown = String::new();
        // Writing to a String never fails.
        let _infallible = if is_plain_but_blanks {
            escape(self.0, Kind::Name, &mut shown)
        } else {
            write!(shown, "{self}")
        };
        cut_quoted(&shown.replace(' ', "␣"), width)
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain(self.0) {
            return escape(self.0, Kind::Name, f);
        }
        f.write_char('"')?;
        escape(self.0, Kind::Quoted, f)?;
        f.write_char('"')
    }
}

impl fmt::Display for LogLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.split(':').enumerate() {
            f.write_str(if index == 0 { "" } else { ":" })?;
            escape(part, Kind::Name, f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Prose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, Kind::Sentence, f)
    }
}

impl fmt::Display for TestName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `::` is plain only as one pair of colons between two parts; empty parts would put more than two colons in a
        // row.
        let is_plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| is_plain_char(c) || "[]".contains(c));
        if !self.0.split("::").all(is_plain) {
            return Escaped(self.0).fmt(f);
        }
        for (index, part) in self.0.split("::").enumerate() {
            f.write_str(if index == 0 { "" } else { "::" })?;
            escape(part, Kind::Name, f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c == '\\' || is_hidden(c) {
                escape_char(c, f)?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// A name in which `*` stands for an omitted part, printed like [`Escaped`].
#[must_use]
pub fn pattern(name: &str) -> String {
    let rest = name.replace('*', "");
    let is_plain = !name.is_empty() && (rest.is_empty() || is_plain(&rest));
    if is_plain && name.contains('*') && Escaped(&rest).to_string() == rest {
        return name.to_owned();
    }
    Escaped(name).to_string()
}

/// Whether a string needs no quotes in a sentence.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_plain_char)
}

fn is_plain_char(c: char) -> bool {
    (c.is_alphanumeric() || "._/@:+-%=~\\".contains(c)) && !is_hidden(c)
}

/// Whether a character would act on a terminal or be invisible.
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' // C0, DEL, C1
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' // bidi, separators
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' // tags, variation selectors
    )
}

/// The number of terminal columns of a string without hidden characters.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().map(char_columns).sum()
}

/// `text` in at most `width` columns; the end of a longer text is replaced by `…`.
#[must_use]
pub fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if columns(text) <= width {
        return Cow::Borrowed(text);
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += char_columns(c);
        if used > width {
            break;
        }
        kept.push(c);
    }
    if width > 0 {
        kept.push('…');
    }
    Cow::Owned(kept)
}

/// Like [`cut`], for an escaped string: the closing quote of a quoted string follows the `…`.
#[must_use]
pub fn cut_quoted(text: &str, width: usize) -> String {
    match text.strip_prefix('"') {
        Some(inside) if columns(text) > width && width > 2 => {
            format!("\"{}\"", cut(inside.strip_suffix('"').unwrap_or(inside), width - 2))
        }
        _ => cut(text, width).into_owned(),
    }
}

/// Two for the blocks that terminals draw two columns wide, otherwise one.
const fn char_columns(c: char) -> usize {
    match c {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff01}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f000}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// The kind of text to escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A name without quotes around it.
    Name,
    /// A name in double quotes.
    Quoted,
    /// A finished sentence.
    Sentence,
}

fn escape(text: &str, kind: Kind, f: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = text.chars();
    let mut previous = None;
    while let Some(c) = rest.next() {
        let edge = rest.as_str().is_empty() || rest.as_str().len() + c.len_utf8() == text.len();
        let shown = match c {
            '\\' => kind == Kind::Sentence,
            '"' => kind != Kind::Quoted,
            ':' => !edge && previous != Some(':'),
            '#' => previous != Some('#'),
            _ => !is_hidden(c),
        };
        if shown {
            f.write_char(c)?;
        } else {
            escape_char(c, f)?;
        }
        previous = shown.then_some(c);
        if kind == Kind::Sentence
            && c == '['
            && let Some(address) = leading_address(rest.as_str())
        {
            f.write_str(address)?;
            previous = address.chars().next_back();
            rest = rest.as_str()[address.len()..].chars();
        }
    }
    Ok(())
}

fn escape_char(c: char, f: &mut impl fmt::Write) -> fmt::Result {
    match c {
        '\\' => f.write_str("\\\\"),
        '"' => f.write_str("\\\""),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        _ if u32::from(c) < 0x100 => write!(f, "\\x{:02x}", u32::from(c)),
        _ => write!(f, "\\u{{{:x}}}", u32::from(c)),
    }
}

/// The IPv6 address at the start of `text`, if a bracket or a zone ends it.
fn leading_address(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_hexdigit() && c != ':' && c != '.')?;
    let (address, rest) = text.split_at(end);
    (rest.starts_with([']', '%']) && address.parse::<Ipv6Addr>().is_ok()).then_some(address)
}
