//! Parts of a log that quote other text: histories of git, differences, descriptions of packages.

/// What the lines before were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Own,
    /// A commit of `git log` or `git show`, with its message and its differences.
    Commit,
    /// The description of a package.
    Package,
}

/// Follows the lines of a log.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    before: Before,
}

/// The least digits of the name of a commit.
const NAME: usize = 7;
/// How the lines of a commit start.
const COMMIT: &[&str] = &[
    "    ",
    "Author",
    "Date:",
    "Merge:",
    "Commit",
    "diff --git",
    "index ",
    "--- ",
    "+++ ",
    "@@ ",
    "+",
    "-",
    " ",
    "new file",
    "deleted file",
    "similarity ",
    "rename ",
    "old mode",
    "new mode",
    "Binary files",
];
/// Fields of a package that start a description.
const DESCRIPTION: &[&str] =
    &["Description:", "Description-en:", "Summary:", "Summary     :", "Description :"];

impl Quotes {
    /// Whether this line quotes.
    pub(super) fn takes(&mut self, line: &[u8]) -> bool {
        let starts = |all: &[&str]| all.iter().any(|start| line.starts_with(start.as_bytes()));
        self.before = match self.before {
            _ if is_commit(line) || line.starts_with(b"diff --git ") => Before::Commit,
            Before::Commit if line.is_empty() || starts(COMMIT) => Before::Commit,
            _ if line.first().is_some_and(|first| matches!(first, b'D' | b'S')) && starts(DESCRIPTION) => {
                Before::Package
            }
            Before::Package if line.starts_with(b" ") => Before::Package,
            _ => Before::Own,
        };
        self.before != Before::Own
    }
}

/// `commit`, and the name of one.
fn is_commit(line: &[u8]) -> bool {
    line.strip_prefix(b"commit ")
        .is_some_and(|name| name.iter().take_while(|byte| byte.is_ascii_hexdigit()).count() >= NAME)
}

#[cfg(test)]
mod tests {
    use super::Quotes;

    #[test]
    fn quoted_lines_are_taken() {
        let log = "commit 53a50827d2cf70cc646e382c7f789c1111a7dc79\nAuthor: A <a@example>\n\n    bind: address already in use\n\n[main] bind: address already in use\nDescription: a port\n that is already in use\n .\nPort 80 is in use\ncommit to it";
        let mut quotes = Quotes::default();
        let shown: Vec<bool> = log.lines().map(|line| quotes.takes(line.as_bytes())).collect();
        assert_eq!(shown, [true, true, true, true, true, false, true, true, true, false, false]);
    }
}
