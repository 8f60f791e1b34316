//! What holds of everything that portbind prints, whatever other programs are called.

use portbind::escape::is_hidden;

/// Commands that CI systems look for anywhere in a line (Azure, TeamCity, GitHub's older form).
const ANYWHERE: [&str; 2] = ["##vso[", "##teamcity["];
/// Commands at the start of a line (GitHub; `##[group]` is both).
const AT_THE_START: [&str; 2] = ["::", "##["];

/// Checks text for people: no character acts on a terminal, no line is a command to a CI system.
pub(crate) fn check_text(text: &[u8]) {
    let text = std::str::from_utf8(text);
    assert!(text.is_ok(), "what is printed is not UTF-8");
    for line in text.unwrap_or_default().split('\n') {
        let hidden = line.chars().find(|&c| is_hidden(c));
        assert!(hidden.is_none(), "{hidden:?} is printed in {line:?}");
        let command = ANYWHERE.iter().find(|command| line.contains(**command));
        let command = command.or_else(|| AT_THE_START.iter().find(|start| line.trim().starts_with(**start)));
        assert!(command.is_none(), "{command:?} is printed in {line:?}");
    }
}

/// Checks lines of JSON: each is one object, and has no control character as it is.
pub(crate) fn check_json(lines: &[u8]) {
    for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let parsed: Result<serde_json::Value, _> = serde_json::from_slice(line);
        assert!(parsed.is_ok_and(|value| value.is_object()), "no object: {}", line.escape_ascii());
    }
}

/// Checks a page: it has the elements that portbind writes, and no others.
pub(crate) fn check_page(page: &[u8]) {
    let page = std::str::from_utf8(page);
    assert!(page.is_ok(), "a page is not UTF-8");
    let page = page.unwrap_or_default();
    let foreign = ["<img", "<iframe", "javascript:", "onerror=\"", "onload=\""];
    let element = foreign.iter().find(|element| page.contains(**element));
    assert!(element.is_none(), "{element:?} is in a page");
    let hidden = page.chars().find(|&c| c != '\n' && is_hidden(c));
    assert!(hidden.is_none(), "{hidden:?} is in a page");
}
