//! Kinds of records: the first word of each record.

/// A [`Refusal`](super::Refusal).
pub const REFUSAL: u32 = 1;
/// A [`Bound`](super::Bound).
pub const BOUND: u32 = 2;
/// A [`Change`](super::Change).
pub const CHANGE: u32 = 3;
/// An [`Ended`](super::Ended).
pub const ENDED: u32 = 4;
/// An [`Introduction`](super::Introduction).
pub const INTRODUCTION: u32 = 5;
/// A [`Portless`](super::Portless).
pub const PORTLESS: u32 = 6;
