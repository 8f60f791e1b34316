//! Sentences on standard error, beside the answer.

use crate::escape::Prose;

/// Says a sentence. A line of it that is not the first is indented.
pub(super) fn say(text: &str) {
    lines(text).for_each(|line| anstream::eprintln!("{line}"));
}

/// Reports what kept a verb from its job, and what to do next.
pub fn report(error: &crate::error::Error) {
    say(&error.to_string());
    if let Some(hint) = error.hint() {
        anstream::eprintln!("hint: {hint}");
    }
}

/// The lines of a sentence: whatever foreign string is in it, no line of another kind.
fn lines(text: &str) -> impl Iterator<Item = String> {
    let starts = std::iter::once("portbind: ").chain(std::iter::repeat("  "));
    text.lines().zip(starts).map(|(line, start)| format!("{start}{}", Prose(line.trim_start())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_ours() {
        let told: Vec<String> = lines("no backend\n  fexit: \x1b[2J\n::error::x ##vso[y]").collect();
        let expected = ["portbind: no backend", r"  fexit: \x1b[2J", r"  \x3a:error:\x3ax #\x23vso[y]"];
        assert_eq!(told, expected);
    }
}
