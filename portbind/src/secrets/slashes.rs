//! Windows-style options: `/name:value`.

use super::names::is_secret;
use super::options::Takes;
use super::programs::Program;

/// Windows-style options that take a password in more than one program. `/p:name=value` is a property of a build.
const SLASHES: [&str; 3] = ["p", "pcb", "pth"];

/// Masks a word that is a Windows-style option with a secret, `/password:secret`.
pub(super) fn mask(word: &str, program: Option<&Program>) -> Option<String> {
    let (name, value) = word.strip_prefix('/')?.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_common = || SLASHES.contains(&name) && !value.contains('=');
    let is_known = program.is_some_and(|program| program.slash(name));
    (is_name && !value.is_empty() && (is_known || is_secret(name) || is_common()))
        .then(|| format!("/{name}:{}", Takes::Secret.mask(value)))
}
