//! An excerpt: some functions at their ids, and nothing else.

use super::{HEADER_LEN, MAGIC, VERSION};

/// `BTF_KIND_FWD` in bits 24 to 28 of `info`: a type without a body.
const FILLER: u32 = 7 << 24;
/// `BTF_KIND_FUNC` there.
const FUNCTION: u32 = 12 << 24;
/// `name_off`, `info`, `type`.
const WORDS: usize = 3;

/// BTF in which these functions have these ids, and every other type up to the last of them is a filler. For
/// readers that look up the id of a function and would take long to read all of the kernel's types.
#[must_use]
pub fn excerpt(functions: &[(&str, u32)]) -> Vec<u8> {
    let last = functions.iter().map(|(_, id)| *id as usize).max().unwrap_or_default();
    let mut types = vec![[0, FILLER, 0]; last];
    let mut strings = vec![0_u8];
    for (name, id) in functions {
        if let Some(entry) = (*id as usize).checked_sub(1).and_then(|index| types.get_mut(index)) {
            *entry = [u32::try_from(strings.len()).unwrap_or_default(), FUNCTION, 0];
        }
        strings.extend(name.bytes().chain([0]));
    }
    assemble(&types, &strings)
}

fn assemble(types: &[[u32; WORDS]], strings: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let types_len = length(size_of_val(types));
    let mut bytes = Vec::with_capacity(HEADER_LEN as usize + size_of_val(types) + strings.len());
    bytes.extend(MAGIC.to_le_bytes());
    bytes.extend([VERSION, 0]);
    for word in [HEADER_LEN, 0, types_len, types_len, length(strings.len())] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(types.as_flattened().iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend(strings);
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::Btf;
    use super::*;

    #[test]
    fn functions_keep_their_ids() {
        let bytes = include_bytes!("../../../tests/btf/6.12.btf");
        let btf = Btf::parse(bytes).unwrap();
        let names = ["inet_csk_get_port", "no_such_function", "udp_v4_get_port"];
        let functions = btf.functions(&names);
        let bytes = excerpt(&functions);
        let excerpt = Btf::parse(&bytes).unwrap();
        for name in names {
            assert_eq!(excerpt.function_id(name), btf.function_id(name), "{name}");
        }
        assert!(excerpt.function_id("inet_csk_get_port").is_some());
        assert!(aya::Btf::parse(&bytes, aya::Endianness::default()).is_ok());
        assert_eq!(Btf::parse(&super::excerpt(&[])).unwrap().len(), 0);
    }
}
