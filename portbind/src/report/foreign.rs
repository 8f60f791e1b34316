//! Strings of other programs.

/// A string that another program chose, cut if it is very long. It is stored unchanged, cannot be printed by accident,
/// and is escaped in [`output`](crate::output).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Foreign(Box<str>);

impl Foreign {
    /// The most bytes that are stored of a string.
    pub const LONGEST: usize = 400;

    /// Stores a string.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if text.len() <= Self::LONGEST {
            return Self(text.into());
        }
        let mut kept = text[..text.floor_char_boundary(Self::LONGEST)].to_owned();
        kept.push('…');
        Self(kept.into())
    }

    /// The unchanged string, which is dangerous to print.
    #[must_use]
    pub fn unescaped(&self) -> &str {
        &self.0
    }
}
