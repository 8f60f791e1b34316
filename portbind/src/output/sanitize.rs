//! Makes strings that other programs chose safe to print.
//!
//! A process may name itself so that its name moves the cursor, turns the reading direction round,
//! or reads as a command to the CI system that shows the log (GitHub: `::error::`, `##[group]`;
//! Azure: `##vso[...]`; TeamCity: `##teamcity[...]`). [`Escaped`] prints such a string on one line,
//! harmless, and so that no two strings look the same.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::Ipv6Addr;

/// A foreign string. What is printed holds no control, bidi or invisible characters, no `::` and
/// no `##`, neither begins nor ends with a colon, and can be turned back into the string.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

/// A sentence of ours that may hold foreign names: as [`Escaped`], but IPv6 addresses in square
/// brackets stay readable (`[::]:8080`).
#[derive(Clone, Copy, Debug)]
pub struct Prose<'a>(pub &'a str);

/// The name of a test: as [`Escaped`], but a `::` between two parts of the name stays
/// (`tests/test_api.py::test_x`). A CI system acts on one at the start of a line only, so that this must
/// never be printed there.
#[derive(Clone, Copy, Debug)]
pub struct TestName<'a>(pub &'a str);

/// A line of a log: as [`Escaped`], but colons stay (`:::3000`). A CI system acts on `::` at the start of a line
/// only, so that this must never be printed there.
#[derive(Clone, Copy, Debug)]
pub struct LogLine<'a>(pub &'a str);
/// A foreign string on a page, where no CI system looks for commands: hidden characters and backslashes are
/// escaped, colons and `#` stay.
#[derive(Clone, Copy, Debug)]
pub struct Visible<'a>(pub &'a str);

impl Escaped<'_> {
    /// The printed form in at most `width` columns, the end replaced by `…` where it is longer.
    #[must_use]
    pub fn cut(&self, width: usize) -> String {
        cut(&self.to_string(), width).into_owned()
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, false, f)
    }
}

impl fmt::Display for LogLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.split(':').enumerate() {
            f.write_str(if index == 0 { "" } else { ":" })?;
            escape(part, false, f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Prose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, true, f)
    }
}

impl fmt::Display for TestName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.0.split("::");
        // Only a pair that stands between two parts; with empty ones there may be more colons than two.
        if parts.any(str::is_empty) {
            return escape(self.0, false, f);
        }
        for (index, part) in self.0.split("::").enumerate() {
            f.write_str(if index == 0 { "" } else { "::" })?;
            escape(part, false, f)?;
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

/// Whether a character would act on a terminal, or be invisible, instead of being shown.
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

/// Columns that a string without hidden characters takes on a terminal.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().map(char_columns).sum()
}

/// `text` in at most `width` columns, the end replaced by `…` where it is longer.
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

/// Two for the blocks that terminals draw two columns wide, else one.
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

fn escape(text: &str, keep_addresses: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rest = text.chars();
    let mut previous = None;
    while let Some(c) = rest.next() {
        let edge = rest.as_str().is_empty() || rest.as_str().len() + c.len_utf8() == text.len();
        let shown = match c {
            '\\' => false,
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
        if keep_addresses
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

fn escape_char(c: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match c {
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        _ if u32::from(c) < 0x100 => write!(f, "\\x{:02x}", u32::from(c)),
        _ => write!(f, "\\u{{{:x}}}", u32::from(c)),
    }
}

/// The IPv6 address that `text` begins with, if a bracket or a zone closes it.
fn leading_address(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_hexdigit() && c != ':' && c != '.')?;
    let (address, rest) = text.split_at(end);
    (rest.starts_with([']', '%']) && address.parse::<Ipv6Addr>().is_ok()).then_some(address)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Turns an escaped string back.
    fn unescape(text: &str) -> String {
        let mut plain = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c != '\\' {
                plain.push(c);
                continue;
            }
            let code = match rest.next().unwrap() {
                '\\' => "5c".to_owned(),
                'n' => "0a".to_owned(),
                'r' => "0d".to_owned(),
                't' => "09".to_owned(),
                'x' => rest.by_ref().take(2).collect(),
                'u' => rest.by_ref().skip(1).take_while(|c| *c != '}').collect(),
                other => panic!("unknown escape {other}"),
            };
            plain.push(char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap());
        }
        plain
    }

    #[test]
    fn hostile_strings() {
        for (text, expected) in [
            ("java", "java"),
            ("tokio-runtime w", "tokio-runtime w"),
            ("größe 日本", "größe 日本"),
            ("", ""),
            ("a\nb\tc\rd", r"a\nb\tc\rd"),
            ("\x1b[2J\x7f\u{9b}\0", r"\x1b[2J\x7f\x9b\x00"),
            (r"a\nb", r"a\\nb"),
            ("::error::x", r"\x3a:error:\x3ax"),
            ("std::vec", r"std:\x3avec"),
            (":::", r"\x3a:\x3a"),
            ("a:b", "a:b"),
            ("##vso[task.complete]", r"#\x23vso[task.complete]"),
            ("x ##[error]", r"x #\x23[error]"),
            ("a\u{202e}b\u{200b}\u{2028}\u{e0041}", r"a\u{202e}b\u{200b}\u{2028}\u{e0041}"),
        ] {
            assert_eq!(Escaped(text).to_string(), expected);
        }
    }

    #[test]
    fn addresses_stay_readable_in_prose_only_in_brackets() {
        for (text, expected) in [
            ("[::]:8080 overlaps", "[::]:8080 overlaps"),
            ("on [fe80::1%eth0]:80", "on [fe80::1%eth0]:80"),
            ("[::error::]", r"[:\x3aerror:\x3a]"),
            ("::add-mask::x", r"\x3a:add-mask:\x3ax"),
            ("[::", r"[:\x3a"),
            ("[::1]::x", r"[::1]:\x3ax"),
        ] {
            assert_eq!(Prose(text).to_string(), expected);
        }
    }

    #[test]
    fn names_of_tests_stay_readable() {
        for (text, expected) in [
            ("tests/test_api.py::TestX::test_y", "tests/test_api.py::TestX::test_y"),
            ("t.py::t[a:b]", "t.py::t[a:b]"),
            ("::error::x", r"\x3a:error:\x3ax"),
            ("x::", r"x:\x3a"),
            ("a:::b", r"a::\x3ab"),
            ("a::::b", r"a:\x3a:\x3ab"),
            ("a::b\n::error::x", r"a::b\n::error::x"),
        ] {
            assert_eq!(TestName(text).to_string(), expected);
        }
    }

    #[test]
    fn lines_of_logs_stay_readable() {
        for (text, expected) in [
            (
                "listen EADDRINUSE: address already in use :::3000",
                "listen EADDRINUSE: address already in use :::3000",
            ),
            ("\x1b[2J##[error]\u{202e}\\", r"\x1b[2J#\x23[error]\u{202e}\\"),
        ] {
            assert_eq!(LogLine(text).to_string(), expected);
        }
    }

    #[test]
    fn cut_keeps_to_the_width() {
        assert_eq!(Escaped("abcdef").cut(6), "abcdef");
        assert_eq!(Escaped("abcdef").cut(5), "abcd…");
        assert_eq!(Escaped("日本語").cut(5), "日本…");
        assert_eq!(Escaped("日本語").cut(4), "日…");
        assert_eq!(Escaped("abc").cut(1), "…");
        assert_eq!(Escaped("abc").cut(0), "");
    }

    /// Strings rich in what must be escaped.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            "[:#\\[\\]vso\\\\nx3a\n\x1b\u{202e}\u{e0001}]{0,6}",
            Just("::error::".to_owned()),
            Just("[::1]".to_owned()),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn escaped_is_harmless_and_reversible(text in hostile()) {
            let shown = Escaped(&text).to_string();
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert!(!shown.contains("::") && !shown.contains("##"));
            prop_assert!(!shown.starts_with(':') && !shown.ends_with(':'));
            prop_assert_eq!(unescape(&shown), text);
        }

        #[test]
        fn prose_is_harmless_and_reversible(text in hostile()) {
            let shown = Prose(&text).to_string();
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert!(!shown.contains("::error") && !shown.starts_with(':') && !shown.contains("##"));
            prop_assert_eq!(unescape(&shown), text);
        }

        #[test]
        fn visible_is_visible_and_reversible(text in hostile()) {
            let shown = Visible(&text).to_string();
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert_eq!(unescape(&shown), text);
        }

        #[test]
        fn test_names_are_harmless_and_reversible(text in hostile()) {
            let shown = TestName(&text).to_string();
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert!(!shown.starts_with(':') && !shown.ends_with(':') && !shown.contains("##"));
            prop_assert_eq!(unescape(&shown), text);
        }

        #[test]
        fn lines_of_logs_are_harmless_and_reversible(text in hostile()) {
            let shown = LogLine(&text).to_string();
            prop_assert!(!shown.chars().any(is_hidden) && !shown.contains("##"));
            prop_assert_eq!(unescape(&shown), text);
        }

        #[test]
        fn cut_never_exceeds(text in hostile(), width in 0_usize..40) {
            prop_assert!(columns(&Escaped(&text).cut(width)) <= width);
        }
    }
}
