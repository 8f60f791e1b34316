//! Cuts a kernel's BTF down to what portbind asks of it: the fixtures in `portbind/tests/btf`.
//!
//! How to remake one, from the packaged kernel of a distribution (this machine's own BTF is
//! `/sys/kernel/btf/vmlinux`, and needs the last command only):
//!
//! 1. `dpkg-deb -x linux-image-….deb unpacked`
//! 2. find the compressed kernel in `vmlinuz-…` by its magic (xz `fd377a585a00`, zstd `28b52ffd`,
//!    lz4 `02214c18`, gzip `1f8b08`) and unpack it: `tail -c +OFFSET vmlinuz-… | zstd -dc > vmlinux`
//! 3. `llvm-objcopy --dump-section .BTF=full.btf vmlinux /dev/null`
//! 4. `cargo run --example btf_extract -- full.btf portbind/tests/btf/6.12.btf`
//! 5. `INSTA_UPDATE=always cargo test -p portbind layout` rewrites `6.12.snap`; review the difference
//!
//! Kept are the structs of the table of rows with everything they embed, and the functions below
//! with their prototypes, and one type of each rare kind. What a pointer points to becomes a forward declaration,
//! or `void`.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::error::Error;
use std::fs;

use portbind::kernel::btf::{Btf, BtfError, Kind, Type};
use portbind_abi::layout::ROWS;

/// Functions that the programs attach to on one kernel or another.
const FUNCTIONS: &[&str] = &[
    "inet_csk_get_port",
    "udp_v4_get_port",
    "udp_v6_get_port",
    "ping_get_port",
    "inet_bind",
    "inet6_bind",
    "inet_bind_sk",
    "inet6_bind_sk",
    "inet_listen",
    "__inet_listen_sk",
    "inet_autobind",
];

/// What a word behind the fixed part of a type is.
#[derive(Clone, Copy)]
enum Word {
    Name,
    Type,
    Plain,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(from), Some(to), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: btf_extract FULL_BTF SMALL_BTF".into());
    };
    let bytes = fs::read(from)?;
    let btf = Btf::parse(&bytes)?;
    let kept = keep(&btf)?;
    fs::write(to, Writer::new(&btf, &kept)?.finish(&kept)?)?;
    Ok(())
}

/// Ids of all types to keep: the wanted ones, and what they hold by value.
fn keep(btf: &Btf<'_>) -> Result<BTreeSet<u32>, BtfError> {
    let structs: BTreeSet<&[u8]> = ROWS.iter().map(|row| row.type_name.as_bytes()).collect();
    let functions: BTreeSet<&[u8]> = FUNCTIONS.iter().map(|name| name.as_bytes()).collect();
    let mut todo = Vec::new();
    let mut tags = Vec::new();
    let mut odd = vec![Kind::Restrict, Kind::Float, Kind::DeclTag, Kind::TypeTag, Kind::Enum64];
    for id in (1..).take(btf.len()) {
        let this = btf.get(id)?;
        let name = btf.name(this.name);
        if let Some(index) = odd.iter().position(|&kind| kind == this.kind) {
            odd.swap_remove(index);
            todo.push(id);
        }
        match this.kind {
            Kind::Struct if structs.contains(name) => todo.push(id),
            Kind::Func if functions.contains(name) => todo.push(id),
            Kind::DeclTag => tags.push((id, this.size_or_type)),
            _ => {}
        }
    }
    let mut kept = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if id == 0 || !kept.insert(id) {
            continue;
        }
        let this = btf.get(id)?;
        if this.kind == Kind::Ptr {
            // The tags of a pointer belong to the target in BTF: `__rcu`, `__user`.
            if is_kind(btf, this.size_or_type, Kind::TypeTag)? {
                todo.push(this.size_or_type);
            }
        } else if this.kind == Kind::TypeTag {
            if is_kind(btf, this.size_or_type, Kind::TypeTag)? {
                todo.push(this.size_or_type);
            }
        } else {
            todo.extend(references(&this));
        }
    }
    kept.extend(
        tags.iter().filter(|(_, target)| kept.contains(target)).map(|&(id, _)| id).collect::<Vec<_>>(),
    );
    Ok(kept)
}

fn is_kind(btf: &Btf<'_>, id: u32, kind: Kind) -> Result<bool, BtfError> {
    Ok(id != 0 && btf.get(id)?.kind == kind)
}

/// Ids that the type refers to.
fn references(this: &Type<'_>) -> Vec<u32> {
    let mut ids = Vec::new();
    if refers(this.kind) {
        ids.push(this.size_or_type);
    }
    let (words, _) = this.body.as_chunks::<4>();
    for (word, what) in words.iter().zip(shape(this.kind).iter().cycle()) {
        if matches!(what, Word::Type) {
            ids.push(u32::from_le_bytes(*word));
        }
    }
    ids
}

/// Whether the third word of the fixed part is a type, not a size.
fn refers(kind: Kind) -> bool {
    kind.is_modifier() || matches!(kind, Kind::Ptr | Kind::Func | Kind::FuncProto | Kind::Var | Kind::DeclTag)
}

/// The words of one entry, as `include/uapi/linux/btf.h` has them.
fn shape(kind: Kind) -> &'static [Word] {
    match kind {
        Kind::Array => &[Word::Type, Word::Type, Word::Plain],
        Kind::Struct | Kind::Union => &[Word::Name, Word::Type, Word::Plain],
        Kind::Enum => &[Word::Name, Word::Plain],
        Kind::FuncProto => &[Word::Name, Word::Type],
        Kind::Datasec => &[Word::Type, Word::Plain, Word::Plain],
        Kind::Enum64 => &[Word::Name, Word::Plain, Word::Plain],
        _ => &[Word::Plain],
    }
}

/// Writes the kept types under new ids.
struct Writer<'b, 'a> {
    btf: &'b Btf<'a>,
    /// New ids of the kept types.
    ids: BTreeMap<u32, u32>,
    /// New ids of the forward declarations, by name and whether it is a union.
    forwards: BTreeMap<(&'a [u8], bool), u32>,
    names: BTreeMap<&'a [u8], u32>,
    strings: Vec<u8>,
    types: Vec<u8>,
}

impl<'b, 'a> Writer<'b, 'a> {
    fn new(btf: &'b Btf<'a>, kept: &BTreeSet<u32>) -> Result<Self, Box<dyn Error>> {
        let ids: BTreeMap<u32, u32> = kept.iter().copied().zip(1..).collect();
        let mut writer = Self {
            btf,
            ids,
            forwards: BTreeMap::new(),
            names: BTreeMap::from([(<&[u8]>::default(), 0)]),
            strings: vec![0],
            types: Vec::new(),
        };
        let next = u32::try_from(kept.len())? + 1;
        let mut missing = BTreeSet::new();
        for &id in kept {
            let this = btf.get(id)?;
            for id in references(&this) {
                missing.extend(writer.forward(id)?);
            }
        }
        writer.forwards = missing.into_iter().zip(next..).collect();
        Ok(writer)
    }

    /// The forward declaration that stands for a type left out; `None` if it is kept or has no name.
    fn forward(&self, id: u32) -> Result<Option<(&'a [u8], bool)>, BtfError> {
        let mut id = id;
        while id != 0 && !self.ids.contains_key(&id) {
            let this = self.btf.get(id)?;
            match this.kind {
                Kind::Struct | Kind::Union | Kind::Fwd => {
                    let name = self.btf.name(this.name);
                    let union = this.kind == Kind::Union || (this.kind == Kind::Fwd && this.flag);
                    return Ok((!name.is_empty()).then_some((name, union)));
                }
                kind if kind.is_modifier() => id = this.size_or_type,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    fn id(&self, old: u32) -> Result<u32, BtfError> {
        if let Some(&new) = self.ids.get(&old) {
            return Ok(new);
        }
        let forward = self.forward(old)?.and_then(|key| self.forwards.get(&key));
        Ok(forward.copied().unwrap_or(0))
    }

    fn name(&mut self, old: u32) -> Result<u32, Box<dyn Error>> {
        self.string(self.btf.name(old))
    }

    fn string(&mut self, name: &'a [u8]) -> Result<u32, Box<dyn Error>> {
        if let Some(&at) = self.names.get(name) {
            return Ok(at);
        }
        let at = u32::try_from(self.strings.len())?;
        self.strings.extend(name);
        self.strings.push(0);
        self.names.insert(name, at);
        Ok(at)
    }

    fn put(&mut self, word: u32) {
        self.types.extend(word.to_le_bytes());
    }

    fn finish(mut self, kept: &BTreeSet<u32>) -> Result<Vec<u8>, Box<dyn Error>> {
        for &id in kept {
            self.write(&self.btf.get(id)?)?;
        }
        for (name, union) in self.forwards.keys().copied().collect::<BTreeSet<_>>() {
            let name = self.string(name)?;
            self.put(name);
            self.put((u32::from(union) << 31) | (7 << 24));
            self.put(0);
        }
        let (types, strings) = (u32::try_from(self.types.len())?, u32::try_from(self.strings.len())?);
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        for word in [24, 0, types, types, strings] {
            bytes.extend(u32::to_le_bytes(word));
        }
        bytes.extend(self.types);
        bytes.extend(self.strings);
        Ok(bytes)
    }

    fn write(&mut self, this: &Type<'_>) -> Result<(), Box<dyn Error>> {
        let name = self.name(this.name)?;
        self.put(name);
        self.put((u32::from(this.flag) << 31) | (this.kind.number() << 24) | this.count);
        let third = if refers(this.kind) { self.id(this.size_or_type)? } else { this.size_or_type };
        self.put(third);
        let (words, _) = this.body.as_chunks::<4>();
        for (word, what) in words.iter().zip(shape(this.kind).iter().cycle()) {
            let word = u32::from_le_bytes(*word);
            let word = match what {
                Word::Name => self.name(word)?,
                Word::Type => self.id(word)?,
                Word::Plain => word,
            };
            self.put(word);
        }
        Ok(())
    }
}
