//! The section `.BTF.ext` (`struct btf_ext_header`, tools/lib/bpf/libbpf_internal.h).

use anyhow::{Context as _, Result, ensure};

/// Offsets in the header: its own length, and offset and length of the functions, the lines, and a C compiler's
/// relocations. The offsets are relative to the end of the header.
const HEADER_LEN: usize = 4;
const FUNCTIONS: usize = 8;
const LINES: usize = 16;
const RELOCATIONS: usize = 24;

/// The section with only its functions.
pub(super) fn without_lines(section: &[u8]) -> Result<Vec<u8>> {
    let header_len = word(section, HEADER_LEN)?;
    let (offset, len) = (word(section, FUNCTIONS)?, word(section, FUNCTIONS + 4)?);
    if header_len > RELOCATIONS {
        ensure!(
            word(section, RELOCATIONS + 4)? == 0,
            "the kernel half has relocations that Rust does not make"
        );
    }
    let start = header_len + offset;
    let mut bytes = section.get(..header_len).context("no header in .BTF.ext")?.to_vec();
    bytes.extend(section.get(start..start + len).context("no functions in .BTF.ext")?);
    let functions = u32::try_from(len)?;
    for (at, value) in [(FUNCTIONS, 0), (LINES, functions), (LINES + 4, 0)] {
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    if header_len > RELOCATIONS {
        bytes[RELOCATIONS..RELOCATIONS + 4].copy_from_slice(&functions.to_le_bytes());
    }
    Ok(bytes)
}

fn word(section: &[u8], at: usize) -> Result<usize> {
    let bytes = section.get(at..at + 4).context(".BTF.ext is too short")?;
    Ok(usize::try_from(u32::from_le_bytes(bytes.try_into()?))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn lines_go_and_functions_stay() {
        let whole = section(&[0x1_eb9f, 32, 8, 8, 16, 8, 24, 0, 91, 92, 1, 2, 93, 94]);
        let expected = section(&[0x1_eb9f, 32, 0, 8, 8, 0, 8, 0, 1, 2]);
        assert_eq!(without_lines(&whole).unwrap(), expected);
        assert!(without_lines(&whole[..40]).is_err());
        let relocated = section(&[0x1_eb9f, 32, 0, 0, 0, 0, 0, 4, 1]);
        assert!(without_lines(&relocated).is_err());
    }
}
