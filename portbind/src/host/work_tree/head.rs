//! The text of a file `HEAD`, and names of branches.

/// Bytes of the longest name of a branch.
pub(super) const LONGEST_NAME: usize = 128;
/// Digits of a commit that are shown.
const SHORT: usize = 12;

/// The branch, or the first digits of the commit, in the text of a file `HEAD`.
pub(super) fn name(head: &str) -> Option<String> {
    let head = head.strip_suffix('\n').unwrap_or(head);
    if let Some(branch) = head.strip_prefix("ref: refs/heads/") {
        return is_name(branch).then(|| branch.to_owned());
    }
    let is_commit = matches!(head.len(), 40 | 64) && head.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit { head.get(..SHORT).map(str::to_owned) } else { None }
}

/// Whether a text can be the name of a branch (git-check-ref-format(1)).
pub(super) fn is_name(text: &str) -> bool {
    let is_allowed = |c: char| !c.is_control() && !c.is_whitespace() && !"~^:?*[\\".contains(c);
    !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(is_allowed)
}
