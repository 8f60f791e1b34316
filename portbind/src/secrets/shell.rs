//! Commands of a shell in one word.

/// What ends a word of a shell's command.
const OPERATORS: &str = ";|&()`";

/// The words of a command as a shell would split it, each behind the gap before it, quotes and all; together they are
/// the text. A gap behind the last one has an empty word.
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
