//! Resolves the rows of [`portbind_abi::layout`] from the running kernel's BTF.

use portbind_abi::layout::{ABSENT, Ask, Layout, Need, ROWS, Row};
use thiserror::Error;

use super::btf::{Btf, BtfError, Structs};

/// Number of answers in [`Layout`].
const WORDS: usize = size_of::<Layout>() / size_of::<u32>();

/// Why the running kernel's layout cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayoutError {
    /// A row required by every backend has no answer, or BTF is damaged.
    #[error("this kernel's BTF does not answer row `{row}`")]
    Row {
        /// Name of the row: the field of [`Layout`].
        row: &'static str,
        /// Names the struct and member.
        #[source]
        source: BtfError,
    },
    /// A member that is read in whole bytes is a bit field in this kernel.
    #[error("`{member}` of `struct {type_name}` (row `{row}`) is at bit {bit_offset}, not at a whole byte")]
    Unaligned {
        /// Name of the row.
        row: &'static str,
        /// Name of the struct.
        type_name: &'static str,
        /// Path of the member.
        member: &'static str,
        /// Its position.
        bit_offset: u32,
    },
    /// The kernel has neither of the two ways to list a port's sockets.
    #[error(
        "this kernel's `struct inet_bind_bucket` lists its sockets neither in `owners` nor through \
         `bhash2` and `struct inet_bind2_bucket`"
    )]
    Owners,
}

/// A row and the kernel's answer, for `portbind doctor`.
#[derive(Clone, Debug)]
pub struct RowReport {
    /// The question.
    pub row: &'static Row,
    /// The answer; a member that does not start at a whole byte counts as [`BtfError::Size`].
    pub answer: Result<u32, BtfError>,
}

/// Resolves all rows; missing optional rows become [`ABSENT`].
///
/// # Errors
///
/// Names the first required row that is missing, or the first row with an unusable answer.
pub fn resolve(btf: &Btf<'_>) -> Result<Layout, LayoutError> {
    let structs = structs(btf);
    let mut words = [ABSENT; WORDS];
    for row in ROWS {
        let answer = match (answer(&structs, row), row.need) {
            (Err(LayoutError::Row { source, .. }), Need::Optional(_)) if source.is_absence() => ABSENT,
            (answer, _) => answer?,
        };
        if let Some(word) = words.get_mut(row.index) {
            *word = answer;
        }
    }
    let layout: Layout = zerocopy::transmute!(words);
    check_owners(&layout)?;
    Ok(layout)
}

/// Resolves all rows one by one, in order, even if some are missing.
#[must_use]
pub fn report(btf: &Btf<'_>) -> Vec<RowReport> {
    let structs = structs(btf);
    let report =
        |row| RowReport { row, answer: answer(&structs, row).map_err(|error| btf_error(row, error)) };
    ROWS.iter().map(report).collect()
}

fn structs<'b, 'a>(btf: &'b Btf<'a>) -> Structs<'b, 'a, 'static> {
    let names: Vec<_> = ROWS.iter().map(|row| row.type_name).collect();
    btf.structs(&names)
}

fn answer(structs: &Structs<'_, '_, '_>, row: &'static Row) -> Result<u32, LayoutError> {
    let failed = |source| LayoutError::Row { row: row.name, source };
    if row.ask == Ask::Size {
        return structs.size_of(row.type_name).map_err(failed);
    }
    let member = structs.member(row.type_name, row.path).map_err(failed)?;
    if row.ask == Ask::Bits {
        return Ok(member.bit_offset);
    }
    member.byte_offset().ok_or(LayoutError::Unaligned {
        row: row.name,
        type_name: row.type_name,
        member: row.path,
        bit_offset: member.bit_offset,
    })
}

fn btf_error(row: &Row, error: LayoutError) -> BtfError {
    match error {
        LayoutError::Row { source, .. } => source,
        LayoutError::Unaligned { .. } | LayoutError::Owners => {
            BtfError::Size { type_name: row.type_name.to_owned(), member: row.path.to_owned() }
        }
    }
}

/// Checks that a bucket's sockets can be listed in one of the two ways, each of which needs all its rows.
fn check_owners(layout: &Layout) -> Result<(), LayoutError> {
    let newer = [layout.bucket_bhash2, layout.bucket2_node, layout.bucket2_owners];
    if layout.bucket_owners == ABSENT && newer.contains(&ABSENT) { Err(LayoutError::Owners) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{
        ABSENT, Btf, BtfError, Layout, LayoutError, Need, ROWS, WORDS, check_owners, report, resolve,
    };

    const KERNELS: [(&str, &[u8]); 6] = [
        ("5.10", include_bytes!("../../tests/btf/5.10.btf")),
        ("6.1", include_bytes!("../../tests/btf/6.1.btf")),
        ("6.12", include_bytes!("../../tests/btf/6.12.btf")),
        ("6.18", include_bytes!("../../tests/btf/6.18.btf")),
        ("7.2", include_bytes!("../../tests/btf/7.2.btf")),
        ("7.3", include_bytes!("../../tests/btf/7.3.btf")),
    ];

    #[test]
    fn every_row_has_its_word() {
        let mut indexes: Vec<_> = ROWS.iter().map(|row| row.index).collect();
        indexes.sort_unstable();
        assert_eq!(indexes, (0..WORDS).collect::<Vec<_>>());
    }

    #[test]
    fn whole_layouts_of_real_kernels() {
        for (kernel, bytes) in KERNELS {
            let layout = resolve(&Btf::parse(bytes).unwrap()).unwrap();
            let words: [u32; WORDS] = zerocopy::transmute!(layout);
            let lines = ROWS.iter().map(|row| match words[row.index] {
                ABSENT => format!("{}: absent\n", row.name),
                answer => format!("{}: {answer}\n", row.name),
            });
            insta::with_settings!({
                snapshot_path => "../../tests/btf",
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, {
                insta::assert_snapshot!(kernel, lines.collect::<String>());
            });
        }
    }

    #[test]
    fn reports_agree_with_layouts() {
        for (kernel, bytes) in KERNELS {
            let btf = Btf::parse(bytes).unwrap();
            let words: [u32; WORDS] = zerocopy::transmute!(resolve(&btf).unwrap());
            for line in report(&btf) {
                let optional = line.row.need != Need::Essential;
                assert!(optional || line.answer.is_ok(), "{} in {kernel}", line.row.name);
                assert_eq!(
                    line.answer.unwrap_or(ABSENT),
                    words[line.row.index],
                    "{} in {kernel}",
                    line.row.name
                );
            }
        }
    }

    #[test]
    fn an_essential_row_that_is_missing_is_listed() {
        // The stored name of the member is damaged.
        let mut bytes = KERNELS[3].1.to_vec();
        let name = b"\0skc_bound_dev_if\0";
        let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
        bytes[at + 1] = b'x';
        let error = resolve(&Btf::parse(&bytes).unwrap()).unwrap_err();
        let (type_name, member) = ("sock_common".to_owned(), "skc_bound_dev_if".to_owned());
        let source = BtfError::MissingMember { type_name, member };
        assert_eq!(error, LayoutError::Row { row: "sock_bound_dev_if", source });
        assert_eq!(error.to_string(), "this kernel's BTF does not answer row `sock_bound_dev_if`");
    }

    #[test]
    fn one_whole_way_to_the_owners_is_needed() {
        let older = Layout { bucket_owners: 8, ..Layout::EMPTY };
        let newer = Layout { bucket_bhash2: 8, bucket2_node: 8, bucket2_owners: 8, ..Layout::EMPTY };
        assert_eq!(check_owners(&older), Ok(()));
        assert_eq!(check_owners(&newer), Ok(()));
        let half = Layout { bucket2_node: ABSENT, ..newer };
        assert_eq!(check_owners(&half), Err(LayoutError::Owners));
        assert_eq!(check_owners(&Layout::EMPTY), Err(LayoutError::Owners));
    }
}
