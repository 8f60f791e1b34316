//! Reads little-endian words and names from bytes that may end anywhere.

/// The 32-bit word at `at`, or `None` past the end.
#[inline]
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// `length` bytes from `at`, or `None` if they do not all exist.
pub(super) fn slice(bytes: &[u8], at: u32, length: u32) -> Option<&[u8]> {
    let start = at as usize;
    bytes.get(start..start.checked_add(length as usize)?)
}

/// Maximum length of a name, so that damaged strings cost little: `KSYM_NAME_LEN` in `include/linux/kallsyms.h` (512
/// since 6.1) is the longest that the kernel accepts in BTF.
const NAME_MAX: usize = 512;

/// The NUL-terminated name at `at`, or `None` if there is none.
pub(super) fn name(strings: &[u8], at: u32) -> Option<&[u8]> {
    let tail = strings.get(at as usize..)?;
    let end = tail.iter().take(NAME_MAX).position(|&byte| byte == 0)?;
    tail.get(..end)
}
