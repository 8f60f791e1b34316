//! Removes from a line what only controls a terminal.

use std::borrow::Cow;

/// The line without escape sequences (ECMA-48: CSI, OSC and two-byte sequences), carriage returns and other control
/// characters except the tab. Text that a progress bar overwrote stays, which is harmless.
pub(super) fn clean(line: &[u8]) -> Cow<'_, [u8]> {
    if !line.iter().any(|byte| is_control(*byte)) {
        return Cow::Borrowed(line);
    }
    let mut kept = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == 0x1b {
            rest = after_escape(after);
        } else if !is_control(byte) {
            kept.push(byte);
        }
    }
    Cow::Owned(kept)
}

const fn is_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\t' || byte == 0x7f
}

/// The bytes after the sequence whose ESC was just read.
fn after_escape(rest: &[u8]) -> &[u8] {
    let end = match rest.first() {
        // Parameter and intermediate bytes, then one final byte.
        Some(b'[') => rest.iter().skip(1).position(|byte| (0x40..0x7f).contains(byte)).map(|end| end + 2),
        // Up to BEL, or to the two bytes of a string terminator.
        Some(b']') => rest.iter().position(|byte| matches!(byte, 0x07 | 0x1b)).map(|end| {
            let length = if rest.get(end) == Some(&0x07) { 1 } else { 2 };
            end + length
        }),
        Some(_) => Some(1),
        None => Some(0),
    };
    end.and_then(|end| rest.get(end..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn all_that_is_for_a_terminal_goes() {
        for (line, expected) in [
            (&b"plain\ttext"[..], "plain\ttext"),
            (b"crlf\r", "crlf"),
            (b"\x1b[31mPort \x1b[1;38;5;9m5173\x1b[0m is", "Port 5173 is"),
            (b"\x1b]0;title\x07x\x1b]8;;u\x1b\\y", "xy"),
            (b"a\x1bMb\x00c\x7f", "abc"),
            (b"\x1b[", ""),
            (b"\x1b", ""),
            (b"end\x1b]never", "end"),
        ] {
            assert_eq!(clean(line), expected.as_bytes());
        }
    }
}
