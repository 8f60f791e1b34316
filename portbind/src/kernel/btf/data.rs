//! The type data of a kernel in memory.

use super::error::BtfError;
use super::names::Names;
use super::reader;
use super::types::{Info, Kind, TYPE_LEN, Type};
use crate::order::sort_by_key;

/// `BTF_MAGIC` in `include/uapi/linux/btf.h`.
const MAGIC: u16 = 0xeb9f;
/// `BTF_VERSION` in `include/uapi/linux/btf.h`.
const VERSION: u8 = 1;
/// Bytes of the header up to and including `str_len`; newer kernels may append fields.
const HEADER_LEN: u32 = 24;

/// BTF with checked structure; it borrows the bytes.
#[derive(Debug)]
pub struct Btf<'a> {
    pub(super) types: &'a [u8],
    pub(super) strings: &'a [u8],
    /// Where type `index + 1` starts in `types`.
    pub(super) offsets: Vec<u32>,
    /// Ids of the structs that have a name.
    pub(super) structs: Vec<u32>,
    /// Ids of the functions.
    functions: Vec<u32>,
    /// Ids of all typedefs.
    typedefs: Vec<u32>,
}

impl<'a> Btf<'a> {
    /// Checks the header and walks all types once.
    ///
    /// # Errors
    ///
    /// If the bytes are not little-endian BTF of version 1, end early, or contain an unknown kind of type.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BtfError> {
        let (types, strings) = sections(bytes)?;
        let mut btf = Self {
            types,
            strings,
            offsets: Vec::with_capacity(types.len() / 24),
            structs: Vec::new(),
            functions: Vec::new(),
            typedefs: Vec::new(),
        };
        btf.walk()?;
        btf.offsets.shrink_to_fit();
        Ok(btf)
    }

    fn walk(&mut self) -> Result<(), BtfError> {
        let mut id = 0;
        let mut at = 0;
        while at < self.types.len() {
            id += 1;
            let head = self.types.get(at..).and_then(<[u8]>::first_chunk::<TYPE_LEN>);
            // Not `ok_or`, which would construct and drop an error for each of a hundred thousand types.
            let Some(&[n0, n1, n2, n3, i0, i1, i2, i3, ..]) = head else {
                return Err(BtfError::Truncated { what: "the last type" });
            };
            let info = Info(u32::from_le_bytes([i0, i1, i2, i3]));
            let Some(kind) = Kind::from_number(info.kind_number()) else {
                return Err(BtfError::Kind { id, kind: info.kind_number() });
            };
            match kind {
                Kind::Struct if [n0, n1, n2, n3] != [0; 4] => self.structs.push(id),
                Kind::Func => self.functions.push(id),
                Kind::Typedef => self.typedefs.push(id),
                _ => {}
            }
            let start = u32::try_from(at).map_err(|_| BtfError::Truncated { what: "the type section" })?;
            self.offsets.push(start);
            at = at.saturating_add(TYPE_LEN).saturating_add(kind.body_len(info.count()));
        }
        if at == self.types.len() { Ok(()) } else { Err(BtfError::Truncated { what: "the last type" }) }
    }

    /// Number of types, not counting `void`; their ids are 1 to this number.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there is no type at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// The type with this id; id 0 is `void`, which is not stored.
    ///
    /// # Errors
    ///
    /// [`BtfError::TypeId`] if there is no such type.
    pub fn get(&self, id: u32) -> Result<Type<'a>, BtfError> {
        let missing = BtfError::TypeId { id };
        let index = (id as usize).checked_sub(1);
        let offset = index.and_then(|index| self.offsets.get(index));
        offset.and_then(|&offset| self.types.get(offset as usize..)).and_then(Type::read).ok_or(missing)
    }

    /// Offset of a type's name in the strings, without decoding the rest of the type.
    #[inline]
    pub(super) fn name_of(&self, id: u32) -> Option<u32> {
        let offset = self.offsets.get((id as usize).checked_sub(1)?)?;
        reader::word(self.types, *offset as usize)
    }

    /// The name at this offset of the strings, without its NUL; empty if there is none.
    #[must_use]
    pub fn name(&self, offset: u32) -> &'a [u8] {
        reader::name(self.strings, offset).unwrap_or_default()
    }

    /// The existing functions with these names, sorted, each with its id (the first one if there are several); found in
    /// one pass.
    #[must_use]
    pub fn functions<'n>(&self, names: &[&'n str]) -> Vec<(&'n str, u32)> {
        self.with_names(&self.functions, names)
    }

    /// The existing typedefs with these names, in the same form.
    #[must_use]
    pub fn typedefs<'n>(&self, names: &[&'n str]) -> Vec<(&'n str, u32)> {
        self.with_names(&self.typedefs, names)
    }

    fn with_names<'n>(&self, ids: &[u32], names: &[&'n str]) -> Vec<(&'n str, u32)> {
        let wanted = Names::new(names);
        let mut found: Vec<(&str, u32)> = Vec::with_capacity(names.len());
        for &id in ids {
            let index = self.name_of(id).and_then(|name| wanted.find(self.strings, name));
            found.extend(index.and_then(|index| wanted.as_slice().get(index)).map(|known| (*known, id)));
        }
        // If several have the name, the first one is used, as everywhere else.
        sort_by_key(&mut found, |(name, _)| *name);
        found.dedup_by_key(|(name, _)| *name);
        found
    }

    /// Number of parameters of the function with this name.
    ///
    /// # Errors
    ///
    /// If there is no such function, several ones disagree, or its prototype is damaged.
    pub fn function_parameters(&self, name: &str) -> Result<u32, BtfError> {
        let mut answer = None;
        for (_, function) in self.functions_of_name(name) {
            let prototype = self.get(function.size_or_type)?;
            if prototype.kind != Kind::FuncProto {
                return Err(BtfError::TypeId { id: function.size_or_type });
            }
            if answer.is_some_and(|count| count != prototype.count) {
                return Err(BtfError::AmbiguousFunction { name: name.to_owned() });
            }
            answer = Some(prototype.count);
        }
        answer.ok_or_else(|| BtfError::MissingFunction { name: name.to_owned() })
    }

    fn functions_of_name(&self, name: &str) -> impl Iterator<Item = (u32, Type<'a>)> {
        let has_name = |id| self.name_of(id).is_some_and(|offset| self.has_name(offset, name.as_bytes()));
        let named = self.functions.iter().copied().filter(move |&id| has_name(id));
        named.filter_map(|id| Some((id, self.get(id).ok()?)))
    }

    /// Whether the string at `offset` is `name`, without searching for its end.
    pub(super) fn has_name(&self, offset: u32, name: &[u8]) -> bool {
        let tail = self.strings.get(offset as usize..).and_then(|tail| tail.strip_prefix(name));
        tail.is_some_and(|tail| tail.first() == Some(&0))
    }
}

/// The type and string sections named by the header.
fn sections(bytes: &[u8]) -> Result<(&[u8], &[u8]), BtfError> {
    let truncated = |what| BtfError::Truncated { what };
    let Some(&[m0, m1]) = bytes.first_chunk() else { return Err(truncated("the header")) };
    match u16::from_le_bytes([m0, m1]) {
        MAGIC => {}
        swapped if swapped == MAGIC.swap_bytes() => return Err(BtfError::BigEndian),
        found => return Err(BtfError::Magic { found }),
    }
    let &version = bytes.get(2).ok_or(truncated("the header"))?;
    if version != VERSION {
        return Err(BtfError::Version { found: version });
    }
    let field = |at| reader::word(bytes, at).ok_or(truncated("the header"));
    let header_len = field(4)?;
    if header_len < HEADER_LEN {
        return Err(truncated("the header"));
    }
    let body = bytes.get(header_len as usize..).ok_or(truncated("the header"))?;
    let types = reader::slice(body, field(8)?, field(12)?).ok_or(truncated("the type section"))?;
    let strings = reader::slice(body, field(16)?, field(20)?).ok_or(truncated("the string section"))?;
    if strings.first() != Some(&0) || strings.last() != Some(&0) {
        return Err(truncated("a name in the string section"));
    }
    Ok((types, strings))
}
