//! Real BTF of six kernels, reduced by `examples/btf_extract.rs`, handmade BTF, and damaged BTF.

use proptest::prelude::*;

use super::data::Btf;
use super::error::BtfError;
use super::members::Member;
use super::types::Kind;

const KERNELS: [(&str, &[u8]); 6] = [
    ("5.10", include_bytes!("../../../tests/btf/5.10.btf")),
    ("6.1", include_bytes!("../../../tests/btf/6.1.btf")),
    ("6.12", include_bytes!("../../../tests/btf/6.12.btf")),
    ("6.18", include_bytes!("../../../tests/btf/6.18.btf")),
    ("7.2", include_bytes!("../../../tests/btf/7.2.btf")),
    ("7.3", include_bytes!("../../../tests/btf/7.3.btf")),
];

const INT: u32 = 1;
const PTR: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const TYPEDEF: u32 = 8;
const CONST: u32 = 10;
const FUNC: u32 = 12;
const PROTO: u32 = 13;
const FLAG: u32 = 1 << 31;

/// BTF built type by type; the first type gets id 1.
struct Builder {
    types: Vec<u8>,
    strings: Vec<u8>,
}

impl Builder {
    fn new() -> Self {
        Self { types: Vec::new(), strings: vec![0] }
    }

    fn string(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let at = u32::try_from(self.strings.len()).unwrap();
        self.strings.extend(name.bytes());
        self.strings.push(0);
        at
    }

    fn add(mut self, kind: u32, name: &str, size_or_type: u32, body: &[u32]) -> Self {
        let name = self.string(name);
        for word in [name, kind << 24, size_or_type].iter().chain(body) {
            self.types.extend(word.to_le_bytes());
        }
        self
    }

    /// `flag` is [`FLAG`] or zero; members are name, type and offset.
    fn aggregate(
        mut self,
        kind: u32,
        flag: u32,
        name: &str,
        size: u32,
        members: &[(&str, u32, u32)],
    ) -> Self {
        let name = self.string(name);
        let count = u32::try_from(members.len()).unwrap();
        let mut words = vec![name, flag | kind << 24 | count, size];
        for &(name, type_id, offset) in members {
            words.extend([self.string(name), type_id, offset]);
        }
        self.types.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self
    }

    fn function(mut self, name: &str, parameters: u32) -> Self {
        let prototype = u32::try_from(Btf::parse(&self.bytes()).unwrap().len() + 1).unwrap();
        for word in [0, PROTO << 24 | parameters, 0] {
            self.types.extend(word.to_le_bytes());
        }
        self.types.extend(vec![0; 8 * parameters as usize]);
        self.add(FUNC, name, prototype, &[])
    }

    fn bytes(&self) -> Vec<u8> {
        let [types, strings] = [&self.types, &self.strings].map(|part| u32::try_from(part.len()).unwrap());
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        bytes.extend([24, 0, types, types, strings].iter().flat_map(|word: &u32| word.to_le_bytes()));
        bytes.extend(&self.types);
        bytes.extend(&self.strings);
        bytes
    }

    fn with<T>(&self, ask: impl FnOnce(&Btf<'_>) -> T) -> T {
        ask(&Btf::parse(&self.bytes()).unwrap())
    }
}

fn owned(type_name: &str, member: &str) -> (String, String) {
    (type_name.to_owned(), member.to_owned())
}

#[test]
fn sock_common_is_the_same_in_all_kernels() {
    let cases = [
        ("skc_daddr", 0),
        ("skc_rcv_saddr", 4),
        ("skc_dport", 12),
        ("skc_num", 14),
        ("skc_family", 16),
        ("skc_state", 18),
        ("skc_bound_dev_if", 20),
        ("skc_bind_node", 24),
        ("skc_prot", 40),
        ("skc_net", 48),
        ("skc_net.net", 48),
        ("skc_v6_daddr", 56),
        ("skc_v6_rcv_saddr", 72),
        ("skc_cookie", 88),
        ("skc_node", 104),
        ("skc_nulls_node", 104),
    ];
    for (kernel, bytes) in KERNELS {
        let btf = Btf::parse(bytes).unwrap();
        for (path, offset) in cases {
            let member = btf.member("sock_common", path).unwrap();
            assert_eq!(member.byte_offset(), Some(offset), "{path} in {kernel}");
            assert_eq!(member.bit_size, None, "{path} in {kernel}");
        }
        for (path, bit_offset, bits) in
            [("skc_reuse", 152, 4), ("skc_reuseport", 156, 1), ("skc_ipv6only", 157, 1)]
        {
            let expected = Member { bit_offset, bit_size: Some(bits), size: 1 };
            assert_eq!(btf.member("sock_common", path), Ok(expected), "{path} in {kernel}");
            assert_eq!(btf.member("sock_common", path).unwrap().byte_offset(), None);
        }
    }
}

#[test]
fn members_have_sizes() {
    for (kernel, bytes) in KERNELS {
        let btf = Btf::parse(bytes).unwrap();
        let cases = [
            ("sock_common", "skc_family", 2),
            ("sock_common", "skc_v6_rcv_saddr", 16),
            ("sock_common", "skc_prot", 8),
            ("task_struct", "comm", 16),
            ("task_struct", "tgid", 4),
            ("inode", "i_ino", 8),
            ("sock", "sk_uid", 4),
        ];
        for (type_name, path, size) in cases {
            assert_eq!(btf.member(type_name, path).unwrap().size, size, "{path} in {kernel}");
        }
        assert_eq!(btf.size_of("inet_bind_hashbucket"), Ok(16), "{kernel}");
        assert_eq!(btf.size_of("udp_hslot"), Ok(16), "{kernel}");
    }
}

#[test]
fn functions_differ_between_kernels() {
    for (kernel, bytes) in KERNELS {
        let btf = Btf::parse(bytes).unwrap();
        let older = ["5.10", "6.1"].contains(&kernel);
        assert_eq!(btf.function_parameters("inet_csk_get_port"), Ok(2), "{kernel}");
        assert_eq!(btf.function_parameters("inet_bind"), Ok(3), "{kernel}");
        assert_eq!(btf.function_parameters("inet_autobind"), Ok(1), "{kernel}");
        for name in ["inet_bind_sk", "inet6_bind_sk", "__inet_listen_sk"] {
            assert_eq!(btf.functions(&[name]).is_empty(), older, "{name} in {kernel}");
        }
        let found = btf.functions(&["udp_v6_get_port", "no_such_function", "inet_bind", "inet_bind"]);
        let [("inet_bind", bind), ("udp_v6_get_port", get_port)] = found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(btf.name(btf.get(bind).unwrap().name), b"inet_bind");
        assert_eq!(btf.name(btf.get(get_port).unwrap().name), b"udp_v6_get_port");
    }
}

#[test]
fn missing_things_are_listed() {
    let btf = Btf::parse(KERNELS[0].1).unwrap();
    let (type_name, member) = owned("no_such", "x");
    assert_eq!(btf.member("no_such", &member), Err(BtfError::MissingType { type_name }));
    for (path, missing) in [
        ("skc_nothing", "skc_nothing"),
        ("skc_net.nothing.more", "skc_net.nothing"),
        ("", ""),
        ("skc_net.", "skc_net."),
    ] {
        let (type_name, member) = owned("sock_common", missing);
        assert_eq!(btf.member("sock_common", path), Err(BtfError::MissingMember { type_name, member }));
    }
    for (path, end, kind) in [
        ("skc_prot.h", "skc_prot", "a pointer"),
        ("skc_net.net.ns", "skc_net.net", "a pointer"),
        ("skc_family.x", "skc_family", "an integer"),
    ] {
        let (type_name, member) = owned("sock_common", end);
        assert_eq!(btf.member("sock_common", path), Err(BtfError::NotStruct { type_name, member, kind }));
    }
    let name = "no_such".to_owned();
    assert_eq!(btf.function_parameters("no_such"), Err(BtfError::MissingFunction { name }));
    assert_eq!(
        btf.member("sock_common", "skc_prot.h").unwrap_err().to_string(),
        "`skc_prot` of `struct sock_common` is a pointer, not an embedded struct or union"
    );
}

#[test]
fn anonymous_parts_typedefs_and_qualifiers_are_passed() {
    let made = Builder::new()
        .add(INT, "int", 4, &[32])
        .aggregate(UNION, 0, "", 8, &[("low", 1, 0), ("high", 1, 32)])
        .aggregate(STRUCT, 0, "", 16, &[("first", 1, 0), ("", 2, 64)])
        .add(TYPEDEF, "inner_t", 3, &[])
        .add(CONST, "", 4, &[])
        .add(ARRAY, "", 0, &[1, 1, 3])
        .aggregate(STRUCT, 0, "outer", 48, &[("named", 5, 64), ("", 3, 192), ("list", 6, 320)]);
    made.with(|btf| {
        for (path, bit_offset, size) in [
            ("named", 64, 16),
            ("named.first", 64, 4),
            ("named.high", 160, 4),
            ("high", 288, 4),
            ("list", 320, 12),
        ] {
            assert_eq!(btf.member("outer", path), Ok(Member { bit_offset, bit_size: None, size }), "{path}");
        }
    });
}

#[test]
fn bit_fields_of_both_encodings_are_read() {
    let made = Builder::new()
        .add(INT, "u8", 1, &[8])
        .add(INT, "u8", 1, &[(2 << 16) | 3])
        .aggregate(STRUCT, FLAG, "newer", 2, &[("whole", 1, 0), ("bits", 1, (3 << 24) | 10)])
        .aggregate(STRUCT, 0, "older", 2, &[("whole", 1, 0), ("bits", 2, 8)]);
    made.with(|btf| {
        for type_name in ["newer", "older"] {
            let bits = Member { bit_offset: 10, bit_size: Some(3), size: 1 };
            assert_eq!(btf.member(type_name, "bits"), Ok(bits));
            assert_eq!(btf.member(type_name, "whole").unwrap().bit_size, None);
        }
    });
}

#[test]
fn structs_of_one_name_must_agree() {
    let made = Builder::new()
        .add(INT, "int", 4, &[32])
        .aggregate(STRUCT, 0, "twin", 0, &[])
        .aggregate(STRUCT, 0, "twin", 8, &[("same", 1, 0), ("moved", 1, 32)])
        .aggregate(STRUCT, 0, "twin", 12, &[("same", 1, 0), ("moved", 1, 64), ("only", 1, 32)])
        .function("same", 2)
        .function("same", 2)
        .function("differs", 1)
        .function("differs", 2);
    made.with(|btf| {
        assert_eq!(btf.member("twin", "same").unwrap().bit_offset, 0);
        assert_eq!(btf.member("twin", "only").unwrap().bit_offset, 32);
        let (type_name, member) = owned("twin", "moved");
        assert_eq!(btf.member("twin", "moved"), Err(BtfError::Ambiguous { type_name, member }));
        let error = btf.size_of("twin").unwrap_err();
        assert_eq!(error.to_string(), "this kernel has several `struct twin`, which disagree on its size");
        assert_eq!(btf.function_parameters("same"), Ok(2));
        let name = "differs".to_owned();
        assert_eq!(btf.function_parameters("differs"), Err(BtfError::AmbiguousFunction { name }));
    });
}

#[test]
fn circles_end() {
    let made = Builder::new()
        .add(TYPEDEF, "a", 2, &[])
        .add(TYPEDEF, "b", 1, &[])
        .aggregate(STRUCT, 0, "typedefs", 8, &[("x", 1, 0)])
        .aggregate(STRUCT, 0, "", 8, &[("", 4, 0), ("", 4, 0)])
        .aggregate(STRUCT, 0, "itself", 8, &[("", 4, 0), ("x", 9, 0)])
        .add(PTR, "", 99, &[])
        .aggregate(STRUCT, 0, "dangling", 8, &[("pointer", 6, 0), ("x", 99, 0)]);
    made.with(|btf| {
        for name in ["typedefs", "itself"] {
            let type_name = name.to_owned();
            assert_eq!(btf.member(name, "x"), Err(BtfError::Cycle { type_name }));
        }
        assert_eq!(btf.member("dangling", "pointer").unwrap().size, 8);
        assert_eq!(btf.member("dangling", "x"), Err(BtfError::TypeId { id: 99 }));
    });
}

#[test]
fn headers_are_checked() {
    let good = Builder::new().add(INT, "int", 4, &[32]).bytes();
    let parse = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        Btf::parse(&bytes).map(|btf| btf.len())
    };
    assert_eq!(parse(0, 0x9f), Ok(1));
    assert_eq!(parse(0, 0), Err(BtfError::Magic { found: 0xeb00 }));
    assert_eq!(parse(2, 2), Err(BtfError::Version { found: 2 }));
    assert_eq!(parse(4, 23), Err(BtfError::Truncated { what: "the header" }));
    assert_eq!(parse(12, 255), Err(BtfError::Truncated { what: "the type section" }));
    assert_eq!(parse(20, 255), Err(BtfError::Truncated { what: "the string section" }));
    assert_eq!(parse(24 + 7, 20), Err(BtfError::Kind { id: 1, kind: 20 }));
    assert_eq!(parse(24 + 7, 0), Err(BtfError::Kind { id: 1, kind: 0 }));
    assert_eq!(Btf::parse(&[0xeb, 0x9f, 0, 1]).unwrap_err(), BtfError::BigEndian);
}

#[test]
fn every_known_kind_is_skipped() {
    let seen: Vec<Kind> = KERNELS
        .iter()
        .flat_map(|(_, bytes)| {
            let btf = Btf::parse(bytes).unwrap();
            (1..).take(btf.len()).map(move |id| btf.get(id).unwrap().kind)
        })
        .collect();
    for kind in (1..=19).map(|number| Kind::from_number(number).unwrap()) {
        let made_by_hand = matches!(kind, Kind::Var | Kind::Datasec);
        assert_eq!(seen.contains(&kind), !made_by_hand, "{kind:?}");
        let body = vec![0; kind.body_len(0) / 4];
        let made = Builder::new().add(kind.number(), "", 0, &body).add(INT, "after", 4, &[32]);
        made.with(|btf| assert_eq!(btf.get(2).unwrap().kind, Kind::Int, "after {kind:?}"));
    }
}

/// Positions of type ids and sizes that can be wrong without changing the length of a type.
fn reference_places(bytes: &[u8]) -> Vec<usize> {
    let btf = Btf::parse(bytes).unwrap();
    let ends = btf.offsets.iter().skip(1).map(|&end| end as usize).chain([btf.types.len()]);
    let types = btf.offsets.iter().map(|&start| start as usize).zip(ends);
    types.flat_map(|(start, end)| (24 + start + 8..24 + end).step_by(4)).collect()
}

/// Makes every query that portbind makes; the test is that each returns.
fn ask(bytes: &[u8]) {
    let Ok(btf) = Btf::parse(bytes) else { return };
    drop(crate::kernel::layout::resolve(&btf));
    assert!(!crate::kernel::layout::report(&btf).is_empty());
    drop(btf.function_parameters("inet_csk_get_port"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_never_panic(
        kernel in 0..KERNELS.len(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = KERNELS[kernel].1.to_vec();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= value;
        }
        ask(&bytes);
    }

    // The structure stays intact, so that queries meet the damage: wrong types, cycles, offsets.
    #[test]
    fn wrong_references_never_panic(
        kernel in 0..KERNELS.len(),
        words in prop::collection::vec((any::<prop::sample::Index>(), 0..1000_u32), 1..2000),
    ) {
        let mut bytes = KERNELS[kernel].1.to_vec();
        let places = reference_places(&bytes);
        for (at, word) in words {
            let at = places[at.index(places.len())];
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        prop_assert!(Btf::parse(&bytes).is_ok());
        ask(&bytes);
    }

    #[test]
    fn truncated_bytes_are_an_error(kernel in 0..KERNELS.len(), at in any::<prop::sample::Index>()) {
        let bytes = KERNELS[kernel].1;
        let cut = &bytes[..at.index(bytes.len())];
        let truncated = matches!(Btf::parse(cut), Err(BtfError::Truncated { .. }));
        prop_assert!(truncated);
    }

    #[test]
    fn random_bytes_never_panic(random in prop::collection::vec(any::<u8>(), 0..2000)) {
        ask(&random);
        let len = u32::try_from(random.len()).unwrap();
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        bytes.extend([24, 0, len, len, 1].iter().flat_map(|word: &u32| word.to_le_bytes()));
        bytes.extend(random);
        bytes.push(0);
        ask(&bytes);
    }
}
