//! Reads the lines of a log in bounded memory.

use std::io::{self, BufRead, Read as _};

/// The most bytes that are read of a line; the rest is skipped.
pub const MAX_LINE: usize = 1 << 16;

/// Reads a log line by line.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Reads from `input`.
    pub const fn new(input: R) -> Self {
        Self { input, line: Vec::new() }
    }

    /// The next line without its newline, cut to [`MAX_LINE`]; `None` at the end of the input.
    ///
    /// # Errors
    ///
    /// The errors of the input, unchanged.
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        if self.input.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        match self.line.last() {
            Some(b'\n') => {
                self.line.pop();
            }
            _ if self.line.len() == MAX_LINE => {
                self.input.skip_until(b'\n')?;
            }
            _ => {}
        }
        Ok(Some(&self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, MAX_LINE};

    fn lengths(bytes: &[u8]) -> Vec<usize> {
        let mut lines = Lines::new(bytes);
        let mut lengths = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            lengths.push(line.len());
        }
        lengths
    }

    #[test]
    fn lines_are_cut() {
        assert!(lengths(b"").is_empty());
        assert_eq!(lengths(b"a\n\nbc"), [1, 0, 2]);
        for (length, kept) in [(MAX_LINE - 1, MAX_LINE - 1), (MAX_LINE, MAX_LINE), (MAX_LINE * 3, MAX_LINE)] {
            let mut bytes = vec![b'a'; length];
            bytes.extend(b"\nb\n");
            assert_eq!(lengths(&bytes), [kept, 1]);
        }
    }
}
