//! The pages of docs/causes, embedded.

use lz4_flex::block::decompress_size_prepended;

/// All pages, each behind a byte 0x1f and a line with its code; packed by build.rs.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/causes.lz4"));

/// Comments are for those who write pages.
const COMMENT: &str = "<!--";

/// The pages of causes, unpacked.
#[derive(Debug, Default)]
pub(crate) struct Pages(String);

impl Pages {
    /// Unpacks them. If this program is damaged, there are none.
    pub(crate) fn unpack() -> Self {
        let unpacked = decompress_size_prepended(PACKED).ok();
        Self(unpacked.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default())
    }

    /// The page of a code, in Markdown, as the lines for people. A code of a newer portbind has none.
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
