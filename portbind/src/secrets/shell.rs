//! Shell commands in one word.

/// Characters that end a word of a shell command.
const OPERATORS: &str = ";|&()`";

/// Splits a command into words, as a shell would. Each word comes with the gap before it, and keeps its quotes; joined
/// together, gaps and words are the text. A gap at the end has an empty word.
pub(super) fn tokens(text: &str) -> Vec<(&str, &str)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_gap = |c: char| c.is_whitespace() || OPERATORS.contains(c);
        let gap = rest.len() - rest.trim_start_matches(is_gap).len();
        let (gap, behind) = rest.split_at(gap);
        let mut quote = None;
        let end = behind.find(|c: char| {
            match (quote, c) {
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), _) if open == c => quote = None,
                _ => {}
            }
            quote.is_none() && is_gap(c)
        });
        let (word, left) = behind.split_at(end.unwrap_or(behind.len()));
        tokens.push((gap, word));
        rest = left;
    }
    tokens
}
