//! docs/performance.md: handwritten text around blocks that a run replaces.

use std::fs;

use anyhow::{Context as _, Result};

use crate::workspace;

/// The page before the first run.
const EMPTY: &str = "# Performance\n\n\
    Written by `cargo xtask bench` (natively) and `cargo xtask bench --vm` (on Linux 6.1 under emulation): a run \
    replaces the blocks that it has measured. portbind and its peers take turns; of all rounds, the median and the \
    quartiles are given. `× portbind` is what a peer takes in units of portbind (of its first row).\n";

/// Writes `text` into the block `name` of the page.
pub(super) fn write(name: &str, text: &str) -> Result<()> {
    let path = workspace::root().join("docs/performance.md");
    let page = fs::read_to_string(&path).unwrap_or_else(|_| EMPTY.to_owned());
    fs::write(&path, replace(&page, name, text))
        .with_context(|| format!("failed to write {}", path.display()))
}

/// The page with a new text in a block; a new block is appended.
fn replace(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- bench:{name} -->\n"), format!("<!-- end:{name} -->\n"));
    let block = format!("{begin}\n{}\n\n{end}", text.trim());
    match page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1))) {
        Some((before, after)) => format!("{before}{block}{after}"),
        None => format!("{}\n\n{block}", page.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_replaced_in_their_place() {
        let page = replace("# Title\n", "a", "one");
        let page = replace(&page, "b", "two");
        let page = replace(&page, "a", "three");
        let expected = "# Title\n\n<!-- bench:a -->\n\nthree\n\n<!-- end:a -->\n\n\
            <!-- bench:b -->\n\ntwo\n\n<!-- end:b -->\n";
        assert_eq!(page, expected);
    }
}
