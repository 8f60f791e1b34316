//! A page of docs/causes: its parts, its transcript, and its row in the index.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::transcripts;

/// The line before a transcript.
pub(super) const MARK: &str = "transcript: written by `cargo xtask causes`";
/// The text in place of a transcript, followed by the reason.
const NONE: &str = "No transcript: ";
/// The parts of every page.
const PARTS: [&str; 3] = ["**See it:**", "**What helps:**", "**In the kernel:**"];

/// Whether a transcript shows this cause, with any confidence.
fn is_of(transcript: &str, code: Code) -> bool {
    [format!("[{code}]"), format!("[{code},")].iter().any(|tag| transcript.contains(tag))
}

/// The errors in a page.
pub(super) fn complaints(code: Code, page: &str, has_transcript: bool) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut complain = |text: &str| complaints.push(format!("docs/causes/{code}.md {text}"));
    if sentence(page).is_none() || !page.starts_with(&format!("# {code}\n")) {
        complain("does not start with its code and a sentence");
    }
    for part in PARTS.iter().filter(|part| !page.contains(**part)) {
        complain(&format!("lacks {part}"));
    }
    match transcripts::split(page, MARK) {
        Some((_, transcript, _)) if !is_of(transcript, code) => {
            complain("has another transcript than its own: run `cargo xtask causes`");
        }
        None if has_transcript => complain("has no transcript"),
        None if !page.contains(NONE) => complain("does not say why it has no transcript"),
        _ => {}
    }
    complaints
}

/// The first line below the title.
fn sentence(page: &str) -> Option<&str> {
    page.lines().nth(2).filter(|line| !line.is_empty())
}

/// The errors in the index: it must have one row per page, in the order of the codes.
pub(super) fn index_complaints(index: &str, pages: &BTreeMap<&str, String>) -> Vec<String> {
    let rows: Vec<&str> = index.lines().filter(|line| line.starts_with("| [")).collect();
    let wanted = Code::ALL.iter().filter_map(|code| {
        let sentence = sentence(pages.get(code.as_str())?)?;
        Some(format!("| [`{code}`]({code}.md) | {sentence} |"))
    });
    let wanted: Vec<String> = wanted.collect();
    if rows == wanted {
        return Vec::new();
    }
    vec![format!("the rows of docs/causes/README.md should be:\n{}", wanted.join("\n"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        "# listener\n\nA sentence.\n\n**See it:** x\n\n**What helps:** y\n\n**In the kernel:** z\n\n";

    fn page(transcript: &str) -> String {
        let empty = format!("{PAGE}<!-- {MARK} -->\n```text\n```\n<!-- end of transcript -->\n");
        transcripts::replace(&empty, MARK, transcript).unwrap()
    }

    #[test]
    fn all_that_a_page_lacks_is_complained_of() {
        let right = page("why [listener]\n");
        assert!(complaints(Code::Listener, &right, true).is_empty());
        assert_eq!(complaints(Code::Listener, &page("why [time-wait]\n"), true).len(), 1);
        assert_eq!(complaints(Code::TimeWait, &right, true).len(), 2);
        assert_eq!(complaints(Code::Listener, PAGE, true).len(), 1);
        assert_eq!(complaints(Code::Listener, PAGE, false).len(), 1);
        assert!(complaints(Code::Listener, &format!("{PAGE}{NONE}x"), false).is_empty());
        assert_eq!(complaints(Code::Listener, &right.replace("**See it:**", ""), true).len(), 1);
    }

    #[test]
    fn an_index_has_the_rows_of_its_pages() {
        let pages = BTreeMap::from([("listener", PAGE.to_owned())]);
        let row = "| [`listener`](listener.md) | A sentence. |";
        assert!(index_complaints(&format!("| a | b |\n|---|---|\n{row}\n"), &pages).is_empty());
        assert_eq!(index_complaints("", &pages).len(), 1);
        assert_eq!(index_complaints(&format!("{row}\n{row}\n"), &pages).len(), 1);
    }
}
