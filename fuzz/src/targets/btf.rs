//! The kernel's description of its own types.

use portbind::kernel::btf::Btf;
use portbind::kernel::layout;

/// BTF of real kernels, cut down to what is asked of it. The files are links to those of portbind's tests.
const KERNELS: [&[u8]; 2] = [include_bytes!("../../btf/5.10.btf"), include_bytes!("../../btf/7.3.btf")];

/// The first byte chooses: the rest is BTF, or changes of the BTF of a kernel, of which the rest is bytes: three say
/// where, one what is there.
pub(crate) fn run(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else { return };
    let Some(kernel) = KERNELS.get(usize::from(choice)) else { return ask(rest) };
    let mut bytes = kernel.to_vec();
    let (changes, _) = rest.as_chunks::<4>();
    for &[a, b, c, value] in changes {
        let at = u32::from_le_bytes([a, b, c, 0]) as usize % bytes.len();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
    }
    ask(&bytes);
}

/// Asks all that portbind asks, and some more.
fn ask(bytes: &[u8]) {
    let btf = match Btf::parse(bytes) {
        Ok(btf) => btf,
        Err(error) => {
            let _text = error.to_string();
            return;
        }
    };
    let resolved = layout::resolve(&btf);
    let report = layout::report(&btf);
    if resolved.is_ok() {
        let essential = |row: &layout::RowReport| row.row.need == portbind_abi::layout::Need::Essential;
        let missing = report.iter().find(|row| essential(row) && row.answer.is_err());
        assert!(missing.is_none(), "{missing:?} is essential, and the layout was resolved without it");
    }
    let names = ["tcp_v4_connect", "inet_csk_get_port", "inet_bind", "inet_listen"];
    for name in names {
        let _parameters = btf.function_parameters(name);
    }
    let _functions = (btf.functions(&names), btf.typedefs(&["__kernel_sa_family_t"]));
    let last = u32::try_from(btf.len()).unwrap_or(u32::MAX);
    for id in (0..64).chain(last.saturating_sub(8)..last.saturating_add(2)) {
        if let Ok(found) = btf.get(id) {
            let _name = (btf.name(found.name), found.members().count());
        }
    }
}
