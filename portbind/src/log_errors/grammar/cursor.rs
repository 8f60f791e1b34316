//! Steps through the bytes of a line.

/// A place in a line, from which the scanners read.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    line: &'a [u8],
    /// Index of the next byte.
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(line: &'a [u8], at: usize) -> Self {
        Self { line, at }
    }

    /// The same line, at another byte.
    pub(super) const fn moved(self, at: usize) -> Self {
        Self { at, ..self }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    /// The bytes from `start` up to here.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.line.get(start..self.at).unwrap_or_default()
    }

    /// Up to `most` bytes before here.
    pub(super) fn before(&self, most: usize) -> &'a [u8] {
        self.line.get(self.at.saturating_sub(most)..self.at).unwrap_or_default()
    }

    /// Takes this word, in letters of any case; it may be the start of a longer word.
    pub(super) fn takes(&mut self, word: &str) -> bool {
        let is_here =
            self.rest().get(..word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word.as_bytes()));
        if is_here {
            self.at += word.len();
        }
        is_here
    }

    /// Takes at most `most` bytes of which `is_one` holds, and returns them.
    pub(super) fn while_one(&mut self, most: usize, is_one: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest().iter().take(most).take_while(|byte| is_one(**byte)).count();
        let start = self.at;
        self.at += length;
        self.since(start)
    }

    /// A port: one to five digits that are no part of a longer word or of a decimal fraction.
    pub(super) fn port(&mut self) -> Option<u16> {
        let mut next = *self;
        let digits = next.while_one(6, |byte| byte.is_ascii_digit());
        let is_end = match next.rest() {
            [b'.', after, ..] => !after.is_ascii_alphanumeric(),
            [after, ..] => !is_word(*after),
            [] => true,
        };
        let port = std::str::from_utf8(digits).ok()?.parse().ok().filter(|port| *port != 0 && is_end)?;
        self.at = next.at;
        Some(port)
    }

    /// Whether a word can start here: what is before it is no part of it.
    pub(super) fn is_at_a_start(&self) -> bool {
        self.before(1).first().is_none_or(|before| !is_word(*before))
    }
}

/// Whether the byte is one of a word.
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
