//! Sentences in pieces that no line break tears apart.

use crate::escape::Prose;

/// The pieces of a sentence between which a line may be broken, each to be joined to the next by a blank. A command at
/// its end, which has to be copied as a whole, is one piece, and so is a name in double quotes: on a line of its own
/// the rest of a name might be taken for one of ours.
pub(crate) fn pieces(sentence: &str, command: Option<&str>) -> Vec<String> {
    let split =
        command.and_then(|command| Some((sentence.strip_suffix(command)?.strip_suffix(' ')?, command)));
    let (words, command) = split.map_or((sentence, None), |(words, command)| (words, Some(command)));
    let mut pieces = of_words(&Prose(words).to_string(), command.is_some());
    pieces.extend(command.map(|command| Prose(command).to_string()));
    pieces
}

/// A colon in front of a command is no end of the sentence, so that it is not escaped as one.
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
