//! Calls between functions of the kernel half.

use anyhow::{Result, bail};
use aya_obj::Object;
use aya_obj::generated::{BPF_CALL, BPF_JMP, BPF_PSEUDO_CALL, bpf_insn};

/// Fails if any function calls another, as those do that the compiler makes of a copy or a row of zeros: before Linux 6.13
/// the frames of all that run at once share 512 bytes of stack.
pub(super) fn refuse(object: &[u8]) -> Result<()> {
    let object = Object::parse(object)?;
    let calling = object.functions.values().find(|function| function.instructions.iter().any(is_call));
    if let Some(function) = calling {
        bail!("{} calls a function: older verifiers have no stack left for its frame", function.name);
    }
    Ok(())
}

fn is_call(instruction: &bpf_insn) -> bool {
    u32::from(instruction.code) == BPF_JMP | BPF_CALL && u32::from(instruction.src_reg()) == BPF_PSEUDO_CALL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_helpers_are_none_of_functions() {
        let instruction = |code, source| bpf_insn {
            code,
            _bitfield_align_1: [],
            _bitfield_1: bpf_insn::new_bitfield_1(0, source),
            off: 0,
            imm: 7,
        };
        assert!(is_call(&instruction(0x85, 1)));
        assert!(!is_call(&instruction(0x85, 0)));
        assert!(!is_call(&instruction(0x18, 1)));
    }
}
