//! Splits sentences into pieces that must not be broken across lines.

use crate::escape::Prose;

/// The pieces of a sentence, which blanks or line breaks join. Two things stay in one piece: a command at the end,
/// which the user has to copy as a whole, and a name in double quotes, whose rest could look like portbind's own text
/// at the start of a line.
pub(crate) fn pieces(sentence: &str, command: Option<&str>) -> Vec<String> {
    let split =
        command.and_then(|command| Some((sentence.strip_suffix(command)?.strip_suffix(' ')?, command)));
    let (words, command) = split.map_or((sentence, None), |(words, command)| (words, Some(command)));
    let mut pieces = of_words(&Prose(words).to_string(), command.is_some());
    pieces.extend(command.map(|command| Prose(command).to_string()));
    pieces
}

/// A colon in front of a command does not end the sentence, so it is not escaped as an end.
fn of_words(words: &str, goes_on: bool) -> Vec<String> {
    let words = match words.strip_suffix("\\x3a") {
        Some(words) if goes_on => format!("{words}:"),
        _ => words.to_owned(),
    };
    let mut pieces = vec![String::new()];
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in words.chars() {
        match c {
            '"' if !is_escaped => is_quoted = !is_quoted,
            ' ' if !is_quoted => {
                pieces.push(String::new());
                continue;
            }
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::escape::Escaped;

    #[test]
    fn commands_and_names_are_not_torn() {
        for (sentence, command, expected) in [
            ("stop java: kill 7 8", Some("kill 7 8"), &["stop", "java:", "kill 7 8"][..]),
            ("stop java: kill 7 8", None, &["stop", "java:", "kill", "7", "8"]),
            (r#"stop "a  b\" c": kill 7"#, Some("kill 7"), &["stop", r#""a  b\" c":"#, "kill 7"]),
            ("no end \"of it", None, &["no", "end", "\"of it"]),
            ("a\nb", None, &[r"a\nb"]),
            ("", None, &[""]),
        ] {
            assert_eq!(pieces(sentence, command), expected, "{sentence}");
        }
    }

    proptest! {
        #[test]
        fn joined_again_it_is_the_sentence(name in any::<String>()) {
            let sentence = format!("stop {}: kill 7 8", Escaped(&name));
            let pieces = pieces(&sentence, Some("kill 7 8"));
            prop_assert_eq!(pieces.len(), 3);
            prop_assert_eq!(pieces.join(" "), sentence);
        }
    }
}
