use proptest::prelude::*;

use super::*;

/// Converts an escaped string back.
fn unescape(text: &str) -> String {
    let inside = text.strip_prefix('"').map_or(text, |rest| rest.strip_suffix('"').unwrap());
    let mut plain = String::new();
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        let code = match rest.next().unwrap() {
            '\\' => "5c".to_owned(),
            '"' => "22".to_owned(),
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
fn plain_names_stay_bare_and_others_are_quoted() {
    for (text, expected) in [
        ("java", "java"),
        ("kworker/u8:2", "kworker/u8:2"),
        ("python3.11", "python3.11"),
        ("größe", "größe"),
        ("日本", "日本"),
        ("@octocat", "@octocat"),
        ("tokio-runtime w", r#""tokio-runtime w""#),
        ("x: kill -9 1", r#""x: kill -9 1""#),
        (r#"a" (1)"#, r#""a\" (1)""#),
        ("(1)", r#""(1)""#),
        ("", r#""""#),
        ("a\nb\tc\rd", r#""a\nb\tc\rd""#),
        ("\x1b[2J\x7f\u{9b}\0", r#""\x1b[2J\x7f\x9b\x00""#),
        (r"a\x2db", r"a\\x2db"),
        ("::error::x", r"\x3a:error:\x3ax"),
        ("std::vec", r"std:\x3avec"),
        (":::", r"\x3a:\x3a"),
        ("a:b", "a:b"),
        ("##vso[task.complete]", r##""#\x23vso[task.complete]""##),
        ("x ##[error]", r##""x #\x23[error]""##),
        ("a\u{202e}b\u{200b}\u{2028}\u{e0041}", r#""a\u{202e}b\u{200b}\u{2028}\u{e0041}""#),
        ("a\u{a0}b\u{2003}c", "\"a\u{a0}b\u{2003}c\""),
        ("→ EADDRINUSE", "\"→ EADDRINUSE\""),
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
        (r#""a\x2db c" (7) has it"#, r#""a\x2db c" (7) has it"#),
        ("a\n  fix  b", r"a\n  fix  b"),
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
        ("a::b\n::error::x", r#""a:\x3ab\n:\x3aerror:\x3ax""#),
        ("adds two (1) numbers", r#""adds two (1) numbers""#),
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
    assert_eq!(Escaped("a b c d").cut(9), r#""a b c d""#);
    assert_eq!(Escaped("a b c d").cut(6), r#""a b…""#);
    assert_eq!(Escaped("a b c d").cut(2), "\"…");
    assert_eq!(Escaped("日本語").cut(5), "日本…");
    assert_eq!(Escaped("日本語").cut(4), "日…");
    assert_eq!(Escaped("abc").cut(1), "…");
    assert_eq!(Escaped("abc").cut(0), "");
}

#[test]
fn blanks_add_no_columns() {
    for (text, width, expected) in [
        ("tokio-runtime w", 16, "tokio-runtime␣w"),
        ("java", 16, "java"),
        ("x: kill -9 1", 16, "x:␣kill␣-9␣1"),
        ("a (1) b", 16, r#""a␣(1)␣b""#),
        ("a (1) b", 6, r#""a␣(…""#),
        ("a␣b", 16, r#""a␣b""#),
        (" ", 16, "␣"),
    ] {
        assert_eq!(Escaped(text).column(width), expected);
    }
}

/// Strings with many characters that must be escaped.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        "[:#\\[\\]vso\\\\nx3a\n\x1b\u{202e}\u{e0001} \"()→]{0,6}",
        Just("::error::".to_owned()),
        Just("[::1]".to_owned()),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Whether a printed name is delimited from the words around it: bare without blanks, or one pair of quotes.
fn is_delimited(shown: &str) -> bool {
    match shown.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => {
            let bare = inside.replace("\\\\", "").replace("\\\"", "");
            !bare.contains('"') && !bare.ends_with('\\')
        }
        None => {
            !shown.is_empty()
                && !shown.contains(|c: char| c.is_whitespace() || "\"'()[]{}<>→,;#*`$&|".contains(c))
        }
    }
}

proptest! {
    #[test]
    fn escaped_is_harmless_delimited_and_reversible(text in hostile()) {
        let shown = Escaped(&text).to_string();
        prop_assert!(!shown.chars().any(is_hidden));
        prop_assert!(!shown.contains("::") && !shown.contains("##"));
        prop_assert!(!shown.starts_with(':') && !shown.ends_with(':'));
        prop_assert!(is_delimited(&shown), "{}", shown);
        prop_assert_eq!(Prose(&shown).to_string(), shown.clone());
        prop_assert_eq!(unescape(&shown), text);
    }

    #[test]
    fn prose_is_harmless_and_printed_twice_the_same(text in hostile()) {
        let shown = Prose(&text).to_string();
        prop_assert!(!shown.chars().any(is_hidden));
        prop_assert!(!shown.contains("::error") && !shown.starts_with(':') && !shown.contains("##"));
        prop_assert_eq!(Prose(&shown).to_string(), shown);
    }

    /// [`Prose`] prints a sentence built with escaped names unchanged.
    #[test]
    fn sentences_are_printed_as_they_were_made(name in hostile(), port in any::<u16>()) {
        let sentence = format!("{} ({port}) holds [::]:{port}, and no other", Escaped(&name));
        prop_assert_eq!(Prose(&sentence).to_string(), sentence);
    }

    #[test]
    fn visible_is_visible_and_reversible(text in hostile()) {
        let shown = Visible(&text).to_string();
        prop_assert!(!shown.chars().any(is_hidden));
        if !shown.starts_with('"') {
            prop_assert_eq!(unescape(&shown), text);
        }
    }

    #[test]
    fn test_names_are_harmless_and_reversible(text in hostile()) {
        let shown = TestName(&text).to_string();
        prop_assert!(!shown.chars().any(is_hidden));
        prop_assert!(!shown.starts_with(':') && !shown.ends_with(':') && !shown.contains("##"));
        prop_assert!(shown.starts_with('"') || !shown.contains(char::is_whitespace));
        prop_assert_eq!(unescape(&shown), text);
    }

    #[test]
    fn lines_of_logs_are_harmless_and_reversible(text in hostile()) {
        let shown = LogLine(&text).to_string();
        prop_assert!(!shown.chars().any(is_hidden) && !shown.contains("##"));
        if !shown.starts_with('"') {
            prop_assert_eq!(unescape(&shown), text);
        }
    }

    #[test]
    fn cut_never_exceeds(text in hostile(), width in 0_usize..40) {
        prop_assert!(columns(&Escaped(&text).cut(width)) <= width);
        let column = Escaped(&text).column(width);
        prop_assert!(columns(&column) <= width && !column.contains(' '));
    }
}
