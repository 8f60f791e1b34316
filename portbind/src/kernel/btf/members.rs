//! Queries about structs: the position of a member, and sizes.

use super::data::Btf;
use super::error::BtfError;
use super::names::Names;
use super::types::{Kind, Type};

/// Maximum nesting of members or types; the kernel's own types need fewer than ten.
const MAX_DEPTH: u32 = 32;
/// Maximum number of members checked for one answer, so that damaged types cannot cause an endless search; the kernel's
/// largest structs have a few hundred.
const MAX_MEMBERS: u32 = 65_536;

/// The position of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Bits from the start of the queried struct; little-endian, bit 0 is the lowest.
    pub bit_offset: u32,
    /// Bits of a bit field; `None` for other members.
    pub bit_size: Option<u32>,
    /// Size of its type in bytes; for a bit field, of the declared type; zero for a flexible array.
    pub size: u32,
}

impl Member {
    /// Byte offset; `None` for a bit field that does not consist of whole bytes.
    #[must_use]
    pub fn byte_offset(&self) -> Option<u32> {
        let whole =
            self.bit_offset.is_multiple_of(8) && self.bit_size.is_none_or(|bits| bits.is_multiple_of(8));
        whole.then_some(self.bit_offset / 8)
    }
}

/// Structs found by name in one pass over the types.
#[derive(Debug)]
pub struct Structs<'b, 'a, 'n> {
    btf: &'b Btf<'a>,
    /// Sorted by name, each with the ids of all structs with that name.
    found: Vec<(&'n str, Vec<u32>)>,
}

impl<'a> Btf<'a> {
    /// Finds all structs with these names in one pass, for later queries.
    #[must_use]
    pub fn structs<'b, 'n>(&'b self, names: &[&'n str]) -> Structs<'b, 'a, 'n> {
        Structs::find(self, names)
    }

    /// The position of a member, as [`Structs::member`] returns it. Each call walks all structs: for several queries,
    /// use [`Btf::structs`].
    ///
    /// # Errors
    ///
    /// As [`Structs::member`].
    pub fn member(&self, type_name: &str, path: &str) -> Result<Member, BtfError> {
        self.structs(&[type_name]).member(type_name, path)
    }

    /// Size of a struct in bytes.
    ///
    /// # Errors
    ///
    /// As [`Structs::size_of`].
    pub fn size_of(&self, type_name: &str) -> Result<u32, BtfError> {
        self.structs(&[type_name]).size_of(type_name)
    }
}

impl<'b, 'a, 'n> Structs<'b, 'a, 'n> {
    fn find(btf: &'b Btf<'a>, names: &[&'n str]) -> Self {
        let wanted = Names::new(names);
        let mut found: Vec<_> = wanted.as_slice().iter().map(|&name| (name, Vec::new())).collect();
        for &id in &btf.structs {
            let index = btf.name_of(id).and_then(|name| wanted.find(btf.strings, name));
            if let Some((_, ids)) = index.and_then(|index| found.get_mut(index)) {
                ids.push(id);
            }
        }
        Self { btf, found }
    }

    /// The position of the member that `path` leads to: through embedded structs by dots, and implicitly through
    /// anonymous structs and unions, typedefs and qualifiers. Pointers are not followed.
    ///
    /// # Errors
    ///
    /// If the struct or the member does not exist, a dot follows a member that is not a struct, structs with the same
    /// name disagree, or the types are damaged.
    pub fn member(&self, type_name: &str, path: &str) -> Result<Member, BtfError> {
        self.agreed(type_name, path, |id| Search { btf: self.btf, type_name, path, seen: 0 }.run(id))
    }

    /// Size of the struct in bytes.
    ///
    /// # Errors
    ///
    /// If the struct does not exist, or structs with the same name differ in size.
    pub fn size_of(&self, type_name: &str) -> Result<u32, BtfError> {
        self.agreed(type_name, "", |id| match self.btf.get(id)?.size_or_type {
            0 => Err(BtfError::MissingType { type_name: type_name.to_owned() }),
            size => Ok(size),
        })
    }

    /// The common answer of all structs with that name that have an answer.
    fn agreed<T: PartialEq>(
        &self,
        type_name: &str,
        path: &str,
        ask: impl Fn(u32) -> Result<T, BtfError>,
    ) -> Result<T, BtfError> {
        let index = self.found.binary_search_by(|(known, _)| (*known).cmp(type_name));
        let ids = index.ok().and_then(|index| self.found.get(index)).map(|(_, ids)| ids.as_slice());
        let mut answer = Err(BtfError::MissingType { type_name: type_name.to_owned() });
        for &id in ids.unwrap_or_default() {
            match (ask(id), &answer) {
                (Ok(new), Ok(old)) if new != *old => {
                    return Err(BtfError::Ambiguous {
                        type_name: type_name.to_owned(),
                        member: path.to_owned(),
                    });
                }
                // An answer overrides the absence of a member in another struct; damage always counts.
                (Err(error), _) if !error.is_absence() => return Err(error),
                (Err(_), Ok(_)) => {}
                (new, _) => answer = new,
            }
        }
        answer
    }
}

/// A member found along a path.
struct Step {
    bit_offset: u32,
    bit_size: u32,
    type_id: u32,
}

/// One walk along one path.
struct Search<'s, 'b, 'a> {
    btf: &'b Btf<'a>,
    type_name: &'s str,
    path: &'s str,
    seen: u32,
}

impl<'a> Search<'_, '_, 'a> {
    fn run(&mut self, id: u32) -> Result<Member, BtfError> {
        let mut at = Step { bit_offset: 0, bit_size: 0, type_id: id };
        let mut end = 0;
        for (depth, name) in self.path.split('.').enumerate() {
            let parent = self.aggregate(at.type_id, end)?;
            end += name.len() + usize::from(depth > 0);
            let missing = || BtfError::MissingMember {
                type_name: self.type_name.to_owned(),
                member: self.path_to(end).to_owned(),
            };
            if name.is_empty() {
                return Err(missing());
            }
            let missing = missing();
            let found = self.find(&parent, name.as_bytes(), 0)?.ok_or(missing)?;
            at = Step { bit_offset: self.add(at.bit_offset, found.bit_offset)?, ..found };
        }
        self.answer(&at)
    }

    fn answer(&self, step: &Step) -> Result<Member, BtfError> {
        let size = self.size(step.type_id)?;
        let mut member = Member { bit_offset: step.bit_offset, bit_size: None, size };
        if step.bit_size != 0 {
            member.bit_size = Some(step.bit_size);
        } else if let Some((_, this)) = self.strip(step.type_id)?
            && let Some((offset, bits)) = this.int_bits()
        {
            member.bit_offset = self.add(member.bit_offset, offset)?;
            member.bit_size = Some(bits);
        }
        Ok(member)
    }

    /// The member with that name, in the struct itself or in its anonymous parts.
    fn find(&mut self, parent: &Type<'a>, name: &[u8], depth: u32) -> Result<Option<Step>, BtfError> {
        for member in parent.members() {
            self.seen += 1;
            if self.seen > MAX_MEMBERS || depth > MAX_DEPTH {
                return Err(self.cycle());
            }
            let step =
                Step { bit_offset: member.bit_offset, bit_size: member.bit_size, type_id: member.type_id };
            if member.name != 0 {
                if self.btf.has_name(member.name, name) {
                    return Ok(Some(step));
                }
                continue;
            }
            let Some((_, inner)) = self.strip(member.type_id)? else { continue };
            if inner.kind.is_aggregate()
                && let Some(found) = self.find(&inner, name, depth + 1)?
            {
                return Ok(Some(Step { bit_offset: self.add(step.bit_offset, found.bit_offset)?, ..found }));
            }
        }
        Ok(None)
    }

    /// The type as a struct or union; `end` is the length of the path up to it.
    fn aggregate(&self, id: u32, end: usize) -> Result<Type<'a>, BtfError> {
        let this = self.strip(id)?.map(|(_, this)| this);
        match this {
            Some(this) if this.kind.is_aggregate() => Ok(this),
            other => Err(BtfError::NotStruct {
                type_name: self.type_name.to_owned(),
                member: self.path_to(end).to_owned(),
                kind: other.map_or("void", |this| this.kind.text()),
            }),
        }
    }

    /// The type without typedefs and qualifiers; `None` is `void`.
    fn strip(&self, mut id: u32) -> Result<Option<(u32, Type<'a>)>, BtfError> {
        for _ in 0..=MAX_DEPTH {
            if id == 0 {
                return Ok(None);
            }
            let this = self.btf.get(id)?;
            if !this.kind.is_modifier() {
                return Ok(Some((id, this)));
            }
            id = this.size_or_type;
        }
        Err(self.cycle())
    }

    /// Size of a type in bytes.
    fn size(&self, mut id: u32) -> Result<u32, BtfError> {
        let unusable =
            || BtfError::Size { type_name: self.type_name.to_owned(), member: self.path.to_owned() };
        let mut times = 1_u32;
        for _ in 0..=MAX_DEPTH {
            let (_, this) = self.strip(id)?.ok_or_else(unusable)?;
            let size = match this.kind {
                Kind::Array => {
                    let (element, count) = this.array().ok_or_else(unusable)?;
                    times = times.checked_mul(count).ok_or_else(unusable)?;
                    id = element;
                    continue;
                }
                // BTF does not state it; on all 64-bit kernels it is 8.
                Kind::Ptr => 8,
                Kind::Int | Kind::Struct | Kind::Union | Kind::Enum | Kind::Enum64 | Kind::Float => {
                    this.size_or_type
                }
                _ => return Err(unusable()),
            };
            return size.checked_mul(times).ok_or_else(unusable);
        }
        Err(self.cycle())
    }

    fn add(&self, left: u32, right: u32) -> Result<u32, BtfError> {
        let unusable =
            || BtfError::Size { type_name: self.type_name.to_owned(), member: self.path.to_owned() };
        left.checked_add(right).ok_or_else(unusable)
    }

    fn path_to(&self, end: usize) -> &str {
        self.path.get(..end).unwrap_or(self.path)
    }

    fn cycle(&self) -> BtfError {
        BtfError::Cycle { type_name: self.type_name.to_owned() }
    }
}
