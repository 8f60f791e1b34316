//! Calls between functions of the kernel half.

use anyhow::{Result, bail};

/// How the names of functions begin that the verifier goes through once (`verified_once`, portbind-ebpf/src/kernel.rs).
const VERIFIED_ONCE: &str = "portbind_";
/// The kind of relocation that a call of a function has, as llvm-readelf names it.
const CALL: &str = "R_BPF_64_32";

/// Fails if a function is called that nobody wrote, as the compiler makes of a copy or a row of zeros: before Linux
/// 6.13 the frames of all that run at once share 512 bytes of stack. `relocations`: those of an object, one a line.
pub(super) fn refuse(relocations: &str) -> Result<()> {
    match relocations.lines().filter_map(called).find(|name| !name.starts_with(VERIFIED_ONCE)) {
        Some(name) => {
            bail!("{name} is called as a function: older verifiers have no stack left for its frame")
        }
        None => Ok(()),
    }
}

/// The function that a relocation is a call of.
fn called(line: &str) -> Option<&str> {
    let [_, _, kind, _, name] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
    (kind == CALL).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As llvm-readelf prints them.
    const FINE: &str = "
Relocation section '.rel.text' at offset 0x3c8e8 contains 2 entries:
    Offset             Info             Type               Symbol's Value  Symbol's Name
0000000000000010  0000004f00000001 R_BPF_64_64            0000000000000000 LAYOUT
0000000000000178  000000590000000a R_BPF_64_32            0000000000001240 portbind_settle
0000000000000000  0000000300000004 R_BPF_64_NODYLD32      0000000000000000 tp_btf/sys_exit
";

    #[test]
    fn calls_that_the_compiler_adds_are_refused() {
        assert!(refuse(FINE).is_ok());
        let added = "0000000000000178  000000590000000a R_BPF_64_32  0000000000001240 memcpy\n";
        assert!(refuse(&format!("{FINE}{added}")).unwrap_err().to_string().contains("memcpy"));
    }
}
