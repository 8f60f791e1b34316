//! One BTF type: its kind, its fixed part and the entries after it.
//!
//! Source: `include/uapi/linux/btf.h`, the same from 5.10 to 7.3 except for newer kinds.

use super::reader::word;

/// Bytes of `struct btf_type`, the part common to all kinds.
pub(super) const TYPE_LEN: usize = 12;

/// Bytes of `struct btf_member`, of `struct btf_var_secinfo` and of `struct btf_enum64`.
const ENTRY_12: usize = 12;
/// Bytes of `struct btf_enum` and of `struct btf_param`.
const ENTRY_8: usize = 8;
/// Bytes of `struct btf_array`.
const ARRAY_LEN: usize = 12;
/// Bytes after `struct btf_type` for `BTF_KIND_INT`, `BTF_KIND_VAR` and `BTF_KIND_DECL_TAG`.
const WORD_LEN: usize = 4;

macro_rules! kinds {
    ($( $name:ident = $number:literal $text:literal; )*) => {
        /// Kind of a type: `BTF_KIND_*` in `include/uapi/linux/btf.h`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $( #[doc = concat!("Number ", $number, ": ", $text, ".")] $name, )*
        }

        impl Kind {
            /// The kind with this number; `None` if unknown (zero is `void`, which is never stored).
            #[must_use]
            #[inline]
            pub fn from_number(number: u32) -> Option<Self> {
                match number {
                    $( $number => Some(Self::$name), )*
                    _ => None,
                }
            }

            /// The number of this kind.
            #[must_use]
            pub fn number(self) -> u32 {
                match self {
                    $( Self::$name => $number, )*
                }
            }

            /// The kind with its article, for messages.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self {
                    $( Self::$name => $text, )*
                }
            }
        }
    };
}

kinds! {
    Int = 1 "an integer";
    Ptr = 2 "a pointer";
    Array = 3 "an array";
    Struct = 4 "a struct";
    Union = 5 "a union";
    Enum = 6 "an enum";
    Fwd = 7 "a forward declaration";
    Typedef = 8 "a typedef";
    Volatile = 9 "a volatile type";
    Const = 10 "a const type";
    Restrict = 11 "a restrict type";
    Func = 12 "a function";
    FuncProto = 13 "a function's prototype";
    Var = 14 "a variable";
    Datasec = 15 "a data section";
    Float = 16 "a floating-point number";
    DeclTag = 17 "a tag of a declaration";
    TypeTag = 18 "a tagged type";
    Enum64 = 19 "a 64-bit enum";
}

impl Kind {
    /// Bytes after the fixed part of a type of this kind with `count` entries.
    #[must_use]
    #[inline]
    pub fn body_len(self, count: u32) -> usize {
        let count = count as usize;
        match self {
            Self::Int | Self::Var | Self::DeclTag => WORD_LEN,
            Self::Array => ARRAY_LEN,
            Self::Struct | Self::Union | Self::Datasec | Self::Enum64 => count.saturating_mul(ENTRY_12),
            Self::Enum | Self::FuncProto => count.saturating_mul(ENTRY_8),
            Self::Ptr
            | Self::Fwd
            | Self::Typedef
            | Self::Volatile
            | Self::Const
            | Self::Restrict
            | Self::Func
            | Self::Float
            | Self::TypeTag => 0,
        }
    }

    /// Whether the type only modifies another type.
    #[must_use]
    pub fn is_modifier(self) -> bool {
        matches!(self, Self::Typedef | Self::Volatile | Self::Const | Self::Restrict | Self::TypeTag)
    }

    /// Whether the type has members.
    #[must_use]
    pub fn is_aggregate(self) -> bool {
        matches!(self, Self::Struct | Self::Union)
    }
}

/// The second word of `struct btf_type`: kind, number of entries and flag.
///
/// Older kernels require bits 16 to 23 and 29 to 30 to be zero (`BTF_INFO_MASK` in `kernel/bpf/btf.c`), so reading them
/// as part of the count and the kind works for old and new BTF.
#[derive(Clone, Copy)]
pub(super) struct Info(pub(super) u32);

impl Info {
    pub(super) fn kind_number(self) -> u32 {
        (self.0 >> 24) & 0x7f
    }

    pub(super) fn count(self) -> u32 {
        self.0 & 0x00ff_ffff
    }

    fn flag(self) -> bool {
        self.0 >> 31 == 1
    }
}

/// A type as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Type<'a> {
    /// Its kind.
    pub kind: Kind,
    /// `kind_flag`: for a struct or union, the members carry their bit size.
    pub flag: bool,
    /// Number of entries: members, values, parameters or variables.
    pub count: u32,
    /// Offset of its name in the strings; zero if it has none.
    pub name: u32,
    /// Size in bytes or id of another type, depending on the kind.
    pub size_or_type: u32,
    /// The entries, or other data of the kind.
    pub body: &'a [u8],
}

impl<'a> Type<'a> {
    /// The type at the start of `bytes`; `None` if it does not fit or its kind is unknown.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let info = Info(word(bytes, 4)?);
        let kind = Kind::from_number(info.kind_number())?;
        let body = bytes.get(TYPE_LEN..TYPE_LEN.checked_add(kind.body_len(info.count()))?)?;
        Some(Self {
            kind,
            flag: info.flag(),
            count: info.count(),
            name: word(bytes, 0)?,
            size_or_type: word(bytes, 8)?,
            body,
        })
    }

    /// Its members, in order; empty unless it is a struct or union.
    pub fn members(&self) -> impl Iterator<Item = RawMember> + use<'a> {
        let (entries, _) = if self.kind.is_aggregate() { self.body } else { &[] }.as_chunks::<ENTRY_12>();
        let flag = self.flag;
        entries.iter().map(move |entry| {
            let (words, _) = entry.as_chunks::<WORD_LEN>();
            let [name, type_id, offset] =
                [0, 1, 2].map(|index| words.get(index).copied().map_or(0, u32::from_le_bytes));
            // With kind_flag: bit size << 24 | bit offset (`BTF_MEMBER_BITFIELD_SIZE`).
            let (bit_offset, bit_size) =
                if flag { (offset & 0x00ff_ffff, offset >> 24) } else { (offset, 0) };
            RawMember { name, type_id, bit_offset, bit_size }
        })
    }

    /// For an array: the type id and the number of its elements (`struct btf_array`).
    pub(super) fn array(&self) -> Option<(u32, u32)> {
        if self.kind != Kind::Array {
            return None;
        }
        Some((word(self.body, 0)?, word(self.body, 8)?))
    }

    /// For an integer that is itself a bit field, as older compilers wrote them: its additional bit offset and its bit
    /// size (`BTF_INT_OFFSET` and `BTF_INT_BITS`).
    pub(super) fn int_bits(&self) -> Option<(u32, u32)> {
        if self.kind != Kind::Int {
            return None;
        }
        let data = word(self.body, 0)?;
        let (offset, bits) = ((data >> 16) & 0xff, data & 0xff);
        (offset != 0 || bits != self.size_or_type.saturating_mul(8)).then_some((offset, bits))
    }
}

/// A member as `struct btf_member` stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawMember {
    /// Offset of its name in the strings; zero if it is anonymous.
    pub name: u32,
    /// Id of its type.
    pub type_id: u32,
    /// Bits from the start of the struct that contains it.
    pub bit_offset: u32,
    /// Bits of a bit field; zero for other members.
    pub bit_size: u32,
}
