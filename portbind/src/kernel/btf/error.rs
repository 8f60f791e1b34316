//! What can go wrong when the kernel's BTF is read.

use thiserror::Error;

/// Why BTF could not be read, or has no answer. Every variant about a type names that type.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BtfError {
    /// The bytes do not start with the magic number of BTF.
    #[error("this is not BTF: it starts with {found:#06x}, BTF starts with 0xeb9f")]
    Magic {
        /// The first two bytes, read as little-endian.
        found: u16,
    },
    /// The magic number is byte-swapped.
    #[error("this BTF is big-endian; only little-endian machines are supported")]
    BigEndian,
    /// The header has an unknown version.
    #[error("BTF version {found} is not supported, only version 1 is")]
    Version {
        /// The version in the header.
        found: u8,
    },
    /// The bytes end before the announced length.
    #[error("BTF is truncated: {what} reaches past the end")]
    Truncated {
        /// The part that does not fit.
        what: &'static str,
    },
    /// A type has an unknown kind, so its length is unknown too.
    #[error("BTF type {id} has the unknown kind {kind}")]
    Kind {
        /// Id of the type.
        id: u32,
        /// The number of the kind.
        kind: u32,
    },
    /// A type refers to a type that does not exist.
    #[error("BTF refers to type {id}, which does not exist")]
    TypeId {
        /// The id referred to.
        id: u32,
    },
    /// There is no struct with that name.
    #[error("this kernel has no `struct {type_name}`")]
    MissingType {
        /// Name of the struct.
        type_name: String,
    },
    /// The struct has no such member.
    #[error("`struct {type_name}` of this kernel has no member `{member}`")]
    MissingMember {
        /// Name of the struct.
        type_name: String,
        /// Path of the member, up to the part that is missing.
        member: String,
    },
    /// A path continues after a member that embeds nothing, such as a pointer.
    #[error("`{member}` of `struct {type_name}` is {kind}, not an embedded struct or union")]
    NotStruct {
        /// Name of the struct.
        type_name: String,
        /// Path of the member that is not a struct.
        member: String,
        /// The actual kind of the member.
        kind: &'static str,
    },
    /// Structs of the same name disagree on the answer.
    #[error("this kernel has several `struct {type_name}`, which disagree on {}", owner_of(.member))]
    Ambiguous {
        /// Name of the struct.
        type_name: String,
        /// Path of the member; empty if the size was asked for.
        member: String,
    },
    /// Types refer to each other in a cycle, or are nested deeper than C code is.
    #[error("the types in `struct {type_name}` run in a circle, or are nested too deeply")]
    Cycle {
        /// Name of the struct, or of the function.
        type_name: String,
    },
    /// A type has no size, or one that does not fit in 32 bits.
    #[error("`{member}` of `struct {type_name}` has no usable size or offset")]
    Size {
        /// Name of the struct.
        type_name: String,
        /// Path of the member.
        member: String,
    },
    /// There is no function with that name.
    #[error("this kernel's BTF has no function `{name}`")]
    MissingFunction {
        /// Name of the function.
        name: String,
    },
    /// Functions of the same name take different numbers of parameters.
    #[error("this kernel has several functions `{name}`, which disagree on their parameters")]
    AmbiguousFunction {
        /// Name of the function.
        name: String,
    },
}

impl BtfError {
    /// Whether BTF is valid and only lacks an answer, or a single answer: the kernel is built differently.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::MissingType { .. }
                | Self::MissingMember { .. }
                | Self::NotStruct { .. }
                | Self::Ambiguous { .. }
                | Self::MissingFunction { .. }
                | Self::AmbiguousFunction { .. }
        )
    }
}

fn owner_of(member: &str) -> String {
    if member.is_empty() { "its size".to_owned() } else { format!("`{member}`") }
}
