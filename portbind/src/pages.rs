//! The pages of docs/causes, embedded in the program.

use lz4_flex::block::decompress_size_prepended;

/// All pages; each starts with a byte 0x1f and a line with its code. build.rs packs them.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/causes.lz4"));

/// Starts a comment, which only authors of pages need.
const COMMENT: &str = "<!--";

/// The pages of causes, unpacked.
#[derive(Debug, Default)]
pub(crate) struct Pages(String);

impl Pages {
    /// Unpacks the pages; empty if this program is damaged.
    pub(crate) fn unpack() -> Self {
        let unpacked = decompress_size_prepended(PACKED).ok();
        Self(unpacked.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default())
    }

    /// The Markdown page of a code, without comments; `None` for a code of a newer portbind.
    pub(crate) fn of(&self, code: &str) -> Option<String> {
        let pages = self.0.split('\x1f').filter_map(|page| page.split_once('\n'));
        let (_, text) = pages.into_iter().find(|(of, _)| *of == code)?;
        let lines = text.lines().filter(|line| !line.starts_with(COMMENT));
        Some(lines.map(|line| format!("{line}\n")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Code;

    #[test]
    fn every_code_has_its_page_and_no_other_word_has_one() {
        let pages = Pages::unpack();
        for code in Code::ALL {
            let page = pages.of(code.as_str()).unwrap();
            assert!(page.starts_with(&format!("# {}\n", code.as_str())), "{page}");
            assert!(!page.contains(COMMENT), "{page}");
        }
        assert_eq!(pages.of("no-such-cause"), None);
        assert_eq!(pages.of(""), None);
    }
}
